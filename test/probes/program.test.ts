import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fragment } from '../../src/probes/fragment/fragment.js';
import { parseFragment } from '../../src/probes/fragment/fragment.js';
import { joinProgram, scriptOf } from '../../src/probes/program.js';
import { fragmentOf, fragmentText } from './fake.js';

const choice = (fragment: Fragment, constants: Readonly<Record<string, number | bigint>> = {}) => ({
  fragment,
  constants: new Map(Object.entries(constants)),
});

const waits = fragmentOf('waits', {
  header: ['mode watch', 'provides waits', 'cost none', 'prints @waits @names:500'],
  defines: ['LOCK 184    // offset mm_struct.mmap_lock', 'LOCK_END 1 // size mm_struct'],
  body: `tracepoint:lock:contention_begin
{
  // LOCK is where the lock lies
  @waits[args->lock_addr - LOCK] = LOCK_END; // LOCK again
  @names[BLOCKED, @LOCKS, LOCK] = 1;
}
`,
});
const reads = fragmentOf('reads', {
  header: ['mode watch', 'provides reads', 'cost none', 'prints @reads @names:500'],
  body: `kprobe:seq_read
{
  @reads = count();
}
kretprobe:seq_read_iter
{
  @names[1] = 1;
}
`,
});

const program = joinProgram([choice(waits, { LOCK: 200, LOCK_END: 1500 }), choice(reads)]);
const lines = program.text.split('\n');
const lineOf = (text: string): number => lines.findIndex((line) => line.includes(text)) + 1;

test('constants become numbers in code, and stay words in comments and in longer words', () => {
  assert.ok(lines.includes('  @waits[args->lock_addr - 200] = 1500; // LOCK again'));
  assert.ok(lines.includes('  // LOCK is where the lock lies'));
  assert.ok(lines.some((line) => line.includes('[BLOCKED, @LOCKS, 200]')));
  assert.ok(!/^#/m.test(program.text), 'no #define is left');
  assert.ok(lines.includes('// LOCK = 200'), 'the numbers can be read off the program');
});

test('a constant of one fragment means nothing in another', () => {
  const other = fragmentOf('other', { body: 'kprobe:x\n{\n  @a = LOCK;\n}\n' });
  const { text } = joinProgram([choice(waits, { LOCK: 200, LOCK_END: 1500 }), choice(other)]);
  assert.ok(text.includes('  @a = LOCK;'));
});

test('an interval block ends the tick: every map once, with its limit, then the tick line; the first comes early', () => {
  assert.equal(program.text.match(/^interval:/gm)?.length, 2);
  assert.deepEqual(lines.slice(lines.indexOf('interval:s:1')), [
    'interval:s:1',
    '{',
    '  print(@waits);',
    '  print(@names, 500);',
    '  print(@reads);',
    '  printf("tick %llu\\n", nsecs);',
    '}',
    'interval:ms:100',
    '/@ticking == 0/',
    '{',
    '  @ticking = 1;',
    '  @zz_end = 1;',
    '  printf("tick %llu\\n", nsecs);',
    '}',
    '',
  ]);
});

test('probes are counted as bpftrace counts them, the intervals included', () => {
  assert.equal(program.probes, 5);
  assert.deepEqual(program.probeNames, [
    'tracepoint:lock:contention_begin',
    'kprobe:seq_read',
    'kprobe:seq_read_iter',
    'interval:s:1',
    'interval:ms:100',
  ]);
  assert.deepEqual(program.fragments, ['waits', 'reads']);
});

test('a line of the program is given back as the line of the file it came from', () => {
  const back = (text: string) => {
    const origin = program.originOf(lineOf(text));
    const fragment = [waits, reads].find(({ name }) => name === origin?.fragment);
    return fragment?.lines[(origin?.line ?? 0) - 1];
  };
  assert.equal(back('args->lock_addr - 200'), '  @waits[args->lock_addr - LOCK] = LOCK_END; // LOCK again');
  assert.equal(back('@reads = count()'), '  @reads = count();');
  assert.equal(back('kretprobe:'), 'kretprobe:seq_read_iter');
});

test('lines of the join itself, and lines that are not there, come from no fragment', () => {
  for (const line of [lineOf('interval:s:1'), lineOf('// LOCK = 200'), 0, -1, lines.length + 10])
    assert.equal(program.originOf(line), undefined, `line ${line}`);
});

test('a message that names a probe names its fragment and the line of the probe', () => {
  assert.deepEqual(program.fragmentNamedIn('WARNING: could not attach probe kprobe:seq_read, skipping.'), {
    fragment: 'reads',
    line: reads.lines.indexOf('kprobe:seq_read') + 1,
  });
  // a name that is only part of another is not meant
  assert.deepEqual(program.fragmentNamedIn('ERROR: kretprobe:seq_read_iter does not exist'), {
    fragment: 'reads',
    line: reads.lines.indexOf('kretprobe:seq_read_iter') + 1,
  });
  for (const message of [
    'kprobe:seq_read.isra.0',
    'kprobe:my_seq_read',
    'tracepoint:lock:contention_beginner',
    '',
  ])
    assert.equal(program.fragmentNamedIn(message), undefined, message);
});

test('the line of a probe is not that of a comment which names it', () => {
  const text = fragmentText().replace('//\n', '// MECHANISM. Uses lock:contention_begin.\n');
  const named = joinProgram([choice(parseFragment('x', text))]).fragmentNamedIn('lock:contention_begin');
  assert.equal(text.split('\n')[(named?.line ?? 0) - 1], 'tracepoint:lock:contention_begin');
});

test('a fragment by hand is its file, with the numbers of this host in its #defines', () => {
  const here = choice(waits, { LOCK: 200, LOCK_END: 1500 });
  const rendered = scriptOf(here, [here]).text.split('\n');
  const changed = rendered.filter((line, index) => line !== waits.lines[index]);
  assert.equal(rendered.length, waits.lines.length);
  assert.deepEqual(changed, [
    '#define LOCK 200    // offset mm_struct.mmap_lock',
    '#define LOCK_END 1500 // size mm_struct',
  ]);
  // so that it can be rendered again, elsewhere
  assert.deepEqual(parseFragment('waits', rendered.join('\n')).constants, waits.constants);
});

test('an address keeps every digit, by hand and in the program', () => {
  const fragment = fragmentOf('sample', {
    defines: ['OPEN 18446744071579000000 // address pid_maps_open'],
    body: 'kprobe:x\n{\n  @a = (uint64)OPEN;\n}\n',
  });
  const here = choice(fragment, { OPEN: 18446744071583657777n });
  assert.ok(joinProgram([here]).text.includes('\n  @a = (uint64)18446744071583657777;\n'));
  assert.ok(scriptOf(here, [here]).text.includes('\n#define OPEN 18446744071583657777 // address'));
});

test('by hand a fragment runs without the daemon', () => {
  const fragment = fragmentOf('sample', {
    defines: ['DAEMON 0 // host daemon_pid', 'LOCK 1 // offset a.b'],
    body: 'kprobe:x\n/pid != DAEMON/\n{\n  @a = LOCK;\n}\n',
  });
  const here = choice(fragment, { DAEMON: 4711, LOCK: 8 });
  assert.match(joinProgram([here]).text, /\/pid != 4711\/\n\{\n {2}@a = 8;/);
  const { text, probes } = scriptOf(here, [here]);
  assert.deepEqual(text.match(/^#define \w+ \d+/gm), ['#define DAEMON 0', '#define LOCK 8']);
  assert.equal(probes, 1);
});

// Two fragments that add to a third.
const host = fragmentOf('host', {
  header: ['mode watch', 'provides waits', 'cost none', 'prints @waits'],
  defines: ['LOCK 1 // offset mm_struct.mmap_lock'],
  body: `tracepoint:lock:contention_begin
{
  @waits = LOCK;
  //@ hook begun: nothing
  @after = 1;
}
kprobe:down_read
{
  //@ hook taken: nothing
}
`,
});
const adding = (name: string, body: string) =>
  fragmentOf(name, {
    header: ['mode watch', 'provides blocks', 'cost none', 'needs fragment host', `prints @${name}`],
    defines: ['LOCK 0 // offset rw_semaphore.owner', 'DAEMON 0 // host daemon_pid'],
    body,
  });
const blocks = adding(
  'blocks',
  '//@ at host taken\n  @later = 1;\n//@ at host begun\n  @blocks = LOCK + DAEMON;\n',
);
const more = adding('more', 'kprobe:up_read\n{\n  @more = 1;\n}\n//@ at host begun\n  @more = LOCK;\n');
const hostHere = choice(host, { LOCK: 184 });
const blocksHere = choice(blocks, { LOCK: 8, DAEMON: 4711 });
const moreHere = choice(more, { LOCK: 16, DAEMON: 4711 });

/** The program without its comments and empty lines. */
const codeOf = (text: string): string[] =>
  text.split('\n').filter((line) => line.trim() !== '' && !line.trimStart().startsWith('//'));

test('what is added stands at its hook, in the order of the choices, with the numbers of who adds it', () => {
  const { text, probes, probeNames } = joinProgram([moreHere, blocksHere, hostHere]);
  assert.deepEqual(codeOf(text).slice(0, codeOf(text).indexOf('interval:s:1')), [
    'kprobe:up_read',
    '{',
    '  @more = 1;',
    '}',
    'tracepoint:lock:contention_begin',
    '{',
    '  @waits = 184;',
    '  @more = 16;',
    '  @blocks = 8 + 4711;',
    '  @after = 1;',
    '}',
    'kprobe:down_read',
    '{',
    '  @later = 1;',
    '}',
  ]);
  const turned = codeOf(joinProgram([hostHere, blocksHere, moreHere]).text);
  assert.equal(turned[turned.indexOf('  @waits = 184;') + 1], '  @blocks = 8 + 4711;');
  // an addition is no probe
  assert.deepEqual(probeNames, [
    'kprobe:up_read',
    'tracepoint:lock:contention_begin',
    'kprobe:down_read',
    'interval:s:1',
    'interval:ms:100',
  ]);
  assert.equal(probes, 5);
});

test('an added line is given back as the line of who adds it, those around it as their own', () => {
  const { text, originOf } = joinProgram([blocksHere, hostHere]);
  const origin = (line: string) => originOf(text.split('\n').indexOf(line) + 1);
  assert.deepEqual(origin('  @blocks = 8 + 4711;'), {
    fragment: 'blocks',
    line: blocks.lines.indexOf('  @blocks = LOCK + DAEMON;') + 1,
  });
  assert.deepEqual(origin('  @waits = 184;'), {
    fragment: 'host',
    line: host.lines.indexOf('  @waits = LOCK;') + 1,
  });
  assert.deepEqual(origin('  @after = 1;'), {
    fragment: 'host',
    line: host.lines.indexOf('  @after = 1;') + 1,
  });
});

test('where a probe with additions is refused, it is the addition that is named', () => {
  const message = 'ERROR: Error loading program: tracepoint:lock:contention_begin';
  const { fragmentNamedIn } = joinProgram([hostHere, blocksHere]);
  assert.deepEqual(fragmentNamedIn(message), {
    fragment: 'blocks',
    line: blocks.lines.indexOf('//@ at host taken') + 1,
  });
  assert.deepEqual(joinProgram([hostHere]).fragmentNamedIn(message), {
    fragment: 'host',
    line: host.lines.indexOf('tracepoint:lock:contention_begin') + 1,
  });
  // as 0.23 and later name the program of a probe
  const program = 'ERROR: Error loading BPF program for tracepoint_lock_contention_begin_2. Error code: -7';
  assert.equal(joinProgram([hostHere, blocksHere]).fragmentNamedIn(program)?.fragment, 'blocks');
  assert.equal(fragmentNamedIn('tracepoint_lock_contention_beginner_2'), undefined);
  // of several that add, the last in the plan: none of the others needs it
  assert.equal(
    joinProgram([
      hostHere,
      blocksHere,
      { ...blocksHere, fragment: { ...blocksHere.fragment, name: 'last' } },
    ]).fragmentNamedIn(message)?.fragment,
    'last',
  );
  // what adds to what was added goes first, wherever it stands in the plan
  const deeper = fragmentOf('deeper', {
    header: ['mode watch', 'cost none', 'needs fragment middle'],
    body: '//@ at middle inner\n  @deeper = 1;\n',
  });
  const middle = fragmentOf('middle', {
    header: ['mode watch', 'cost none', 'needs fragment host'],
    body: '//@ at host begun\n  //@ hook inner: nothing\n',
  });
  assert.deepEqual(
    joinProgram([choice(deeper), choice(middle), hostHere, blocksHere]).fragmentNamedIn(message),
    { fragment: 'deeper', line: deeper.lines.indexOf('//@ at middle inner') + 1 },
  );
  // a probe of who adds is its own
  assert.equal(joinProgram([hostHere, moreHere]).fragmentNamedIn('kprobe:up_read')?.fragment, 'more');
});

test('of a fragment that is not chosen nothing is added', () => {
  const { text } = joinProgram([hostHere]);
  assert.doesNotMatch(text, /blocks|later|more/);
  assert.deepEqual(codeOf(text).slice(0, 8), [
    'tracepoint:lock:contention_begin',
    '{',
    '  @waits = 184;',
    '  @after = 1;',
    '}',
    'kprobe:down_read',
    '{',
    '}',
  ]);
});

test('by hand, a fragment that adds to another is the program of both, and of no third', () => {
  const { text, probes } = scriptOf(blocksHere, [moreHere, blocksHere, hostHere]);
  const [first, ...rest] = text.split('\n');
  assert.equal(first, '// blocks.bt is no script of its own, for it adds to host.bt: here they are joined.');
  assert.equal(
    rest.join('\n'),
    joinProgram([choice(blocks, { LOCK: 8, DAEMON: 0 }), hostHere]).text,
    'without the daemon',
  );
  assert.equal(probes, 4);
});

test('by hand, a fragment that adds to one that adds is the program of all three', () => {
  const last = fragmentOf('last', {
    header: ['mode watch', 'cost none', 'needs fragment middle'],
    body: '//@ at middle inner\n    @last = 1;\n',
  });
  const middle = fragmentOf('middle', {
    header: ['mode watch', 'cost none', 'needs fragment host'],
    body: '//@ at host begun\n  if (1) {\n    //@ hook inner: nothing\n  }\n',
  });
  const { text } = scriptOf(choice(last), [choice(last), choice(middle), hostHere, moreHere]);
  assert.match(text, /^\/\/ last\.bt .* adds to middle\.bt, host\.bt: /);
  assert.match(
    codeOf(text).join('\n'),
    /@waits = 184;\n {2}if \(1\) \{\n {4}@last = 1;\n {2}\}\n {2}@after = 1;/,
  );
  assert.doesNotMatch(text, /@more/);
});
