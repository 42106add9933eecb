import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fragment } from '../../src/probes/fragment.js';
import { parseFragment } from '../../src/probes/fragment.js';
import { joinProgram, renderFragment } from '../../src/probes/program.js';
import { fragmentOf, fragmentText } from './fake.js';

const choice = (fragment: Fragment, constants: Readonly<Record<string, number>> = {}) => ({
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

test('one interval block ends the tick: every map once, with its limit, then the tick line', () => {
  assert.equal(program.text.match(/^interval:/gm)?.length, 1);
  assert.deepEqual(lines.slice(lines.indexOf('interval:s:1')), [
    'interval:s:1',
    '{',
    '  print(@waits);',
    '  print(@names, 500);',
    '  print(@reads);',
    '  printf("tick %llu\\n", nsecs);',
    '}',
    '',
  ]);
});

test('probes are counted as bpftrace counts them, the interval included', () => {
  assert.equal(program.probes, 4);
  assert.deepEqual(program.probeNames, [
    'tracepoint:lock:contention_begin',
    'kprobe:seq_read',
    'kprobe:seq_read_iter',
    'interval:s:1',
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
  const rendered = renderFragment(choice(waits, { LOCK: 200, LOCK_END: 1500 })).split('\n');
  const changed = rendered.filter((line, index) => line !== waits.lines[index]);
  assert.equal(rendered.length, waits.lines.length);
  assert.deepEqual(changed, [
    '#define LOCK 200    // offset mm_struct.mmap_lock',
    '#define LOCK_END 1500 // size mm_struct',
  ]);
  // so that it can be rendered again, elsewhere
  assert.deepEqual(parseFragment('waits', rendered.join('\n')).constants, waits.constants);
});
