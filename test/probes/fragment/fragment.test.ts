import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MmaplockError } from '../../../src/errors.js';
import { parseFragment } from '../../../src/probes/fragment/fragment.js';
import { cases } from '../../support/depth.js';
import { fragmentOf, fragmentText, plainBody } from '../fake.js';

const header = (...more: string[]): readonly string[] => [
  'mode watch',
  'provides waits',
  'cost none',
  ...more,
];

test('a fragment says all that the plan must know', () => {
  const fragment = fragmentOf('sample', {
    header: [
      'mode inspect',
      'provides waits',
      'provides operations when NUMBER',
      'provides fallbacks when MAYBE: no VMA locks: nothing to fall back from',
      'tells reads',
      'cost 3 % of   a loop',
      'rank 7',
      'runs when reads exact opens',
      'runs when retries on',
      'needs symbol seq_read.isra.0',
      'needs no symbol queued_spin_release_traced: too dear: all locks pay',
      'needs fragment proc-opens',
      'needs event vma-writes',
      'needs field mmap_lock:mmap_lock_start_locking.memcg_id: too dear: it resolves a path',
      'needs field lock:contention_end.ret',
      'prints @waits @names:500',
      'prints @last:1',
    ],
    defines: [
      'MEMBER 1 // offset task_struct.mm',
      'MAYBE 1  // offset mm_struct.mm_wr_seq or 0',
      'SIZE 1   // size pt_regs',
      'MAYBE_SIZE 1//size pt_regs or 0',
      'MOVED 1 // offset proc_maps_private.mm|proc_maps_private.lock_ctx.mm or 0',
      'OPEN 18446744073709551615 // address pid_maps_open.isra.0',
      'MAYBE_OPEN 0 // address pid_numa_maps_open or 0',
      'NUMBER 1 // host syscall_number',
      'PATH 0 // host lock_path.smaps_rollup',
    ],
    body: 'kprobe:down_read\n{\n  @waits = count();\n  @names[tid] = MEMBER;\n  @last[0] = SIZE;\n}\n',
  });
  assert.equal(fragment.name, 'sample');
  assert.equal(fragment.summary, 'What it shows.');
  assert.equal(fragment.mode, 'inspect');
  assert.deepEqual(fragment.provides, [
    { what: 'waits', when: undefined, moot: undefined },
    { what: 'operations', when: 'NUMBER', moot: undefined },
    { what: 'fallbacks', when: 'MAYBE', moot: 'no VMA locks: nothing to fall back from' },
  ]);
  assert.equal(fragment.tells, 'reads');
  assert.equal(fragment.cost, '3 % of   a loop');
  assert.equal(fragment.rank, 7);
  assert.deepEqual(fragment.runsWhen, [
    { key: 'reads', positions: ['exact', 'opens'] },
    { key: 'retries', positions: ['on'] },
  ]);
  assert.deepEqual(fragment.needs, {
    symbols: ['seq_read.isra.0'],
    absences: [{ symbol: 'queued_spin_release_traced', why: 'too dear: all locks pay' }],
    fragments: ['proc-opens'],
    events: ['vma-writes'],
    releases: [],
    fields: [
      {
        tracepoint: 'mmap_lock:mmap_lock_start_locking',
        field: 'memcg_id',
        why: 'too dear: it resolves a path',
      },
      { tracepoint: 'lock:contention_end', field: 'ret', why: undefined },
    ],
  });
  assert.deepEqual(fragment.prints, [
    { map: '@waits', limit: undefined },
    { map: '@names', limit: 500 },
    { map: '@last', limit: 1 },
  ]);
  assert.deepEqual(fragment.constants, [
    { name: 'MEMBER', source: { from: 'offset', of: ['task_struct.mm'], optional: false } },
    { name: 'MAYBE', source: { from: 'offset', of: ['mm_struct.mm_wr_seq'], optional: true } },
    { name: 'SIZE', source: { from: 'size', of: 'pt_regs', optional: false } },
    { name: 'MAYBE_SIZE', source: { from: 'size', of: 'pt_regs', optional: true } },
    {
      name: 'MOVED',
      source: {
        from: 'offset',
        of: ['proc_maps_private.mm', 'proc_maps_private.lock_ctx.mm'],
        optional: true,
      },
    },
    { name: 'OPEN', source: { from: 'address', of: 'pid_maps_open.isra.0', optional: false } },
    { name: 'MAYBE_OPEN', source: { from: 'address', of: 'pid_numa_maps_open', optional: true } },
    { name: 'NUMBER', source: { from: 'host', of: 'syscall_number' } },
    { name: 'PATH', source: { from: 'host', of: 'lock_path.smaps_rollup' } },
  ]);
});

test('a fragment without rank has 100, and needs neither constants, prints nor observables', () => {
  const { rank, constants, prints, provides, runsWhen, needs } = fragmentOf('sample', {
    header: ['mode watch', 'cost none'],
  });
  assert.deepEqual(
    { rank, constants, prints, provides, runsWhen, needs },
    {
      rank: 100,
      constants: [],
      prints: [],
      provides: [],
      runsWhen: [],
      needs: { symbols: [], absences: [], fields: [], fragments: [], events: [], releases: [] },
    },
  );
});

test('each kind of probe, with the fields of args that its own block uses', () => {
  const { probes } = fragmentOf('sample', {
    body: `tracepoint:lock:contention_begin
/args->flags == 2/
{
  @a = args->lock_addr; // not args->comment
  @b = args->flags;
}
kprobe:down_read { @c = arg0; }`.replace(' { @c = arg0; }', '\n{\n  @c = arg0;\n}'),
  });
  assert.deepEqual(probes, [
    {
      kind: 'tracepoint',
      target: 'lock:contention_begin',
      fields: ['flags', 'lock_addr'],
      line: 7,
      ifThere: undefined,
    },
    { kind: 'kprobe', target: 'down_read', fields: [], line: 13, ifThere: undefined },
  ]);
  const kinds = ['kretprobe', 'kfunc', 'kretfunc', 'fentry', 'fexit'].map((kind) => {
    const [probe] = fragmentOf('sample', { body: `${kind}:seq_read\n{\n  @a = args.file;\n}\n` }).probes;
    return [kind, probe?.kind, probe?.fields.join()];
  });
  assert.deepEqual(kinds, [
    ['kretprobe', 'kprobe', 'file'],
    ['kfunc', 'fentry', 'file'],
    ['kretfunc', 'fentry', 'file'],
    ['fentry', 'fentry', 'file'],
    ['fexit', 'fentry', 'file'],
  ]);
});

test('the probes of a list share the fields of their block, and not those of the next', () => {
  const { probes } = fragmentOf('sample', {
    body: `tracepoint:syscalls:sys_exit_open,
tracepoint:syscalls:sys_exit_openat, // relative paths too
tracepoint:syscalls:sys_exit_openat2
{
  @a = args->ret;
}
tracepoint:task:task_newtask
{
  @b = args->clone_flags;
}
`,
  });
  assert.deepEqual(
    probes.map(({ target, fields }) => [target, fields.join()]),
    [
      ['syscalls:sys_exit_open', 'ret'],
      ['syscalls:sys_exit_openat', 'ret'],
      ['syscalls:sys_exit_openat2', 'ret'],
      ['task:task_newtask', 'clone_flags'],
    ],
  );
});

test('comments between the probes of a fragment without constants lose none of them', () => {
  const fragment = fragmentOf('sample', {
    body: `${plainBody}\n// and the other end\nkprobe:up_read\n{\n}\n`,
  });
  assert.equal(fragment.probes.length, 2);
  assert.ok(fragment.lines.slice(fragment.bodyStart).includes('tracepoint:lock:contention_begin'));
});

// What is wrong, the text, the line that must be named, and words of the message.
const malformed: readonly (readonly [string, string, number, RegExp])[] = [
  ['an empty file', '', 1, /lacks \/\/@ mode/],
  ['no mode', fragmentText({ header: ['cost none'] }), 1, /lacks \/\/@ mode/],
  ['no cost', fragmentText({ header: ['mode watch'] }), 1, /lacks \/\/@ cost/],
  ['no probe', fragmentText({ body: '' }), 1, /no probe/],
  [
    'a mode of its own',
    fragmentText({ header: ['mode always'] }),
    3,
    /one of watch, inspect, start, not always/,
  ],
  ['an unknown observable', fragmentText({ header: header('provides sleeps') }), 6, /not "sleeps"/],
  [
    'when without a constant',
    fragmentText({ header: header('provides operations when') }),
    6,
    /when CONSTANT/,
  ],
  [
    'another word than when',
    fragmentText({ header: header('provides operations if X') }),
    6,
    /when CONSTANT/,
  ],
  ['words too many', fragmentText({ header: header('provides operations when X Y') }), 6, /when CONSTANT/],
  [
    'when of no constant',
    fragmentText({ header: header('provides operations when X') }),
    1,
    /when X: no such/,
  ],
  ['a rank that is no integer', fragmentText({ header: header('rank 1.5') }), 6, /rank is an integer/],
  ['a rank that is no number', fragmentText({ header: header('rank first') }), 6, /rank is an integer/],
  ['a need that is no symbol', fragmentText({ header: header('needs luck') }), 6, /needs symbol NAME/],
  [
    'a need without a reason',
    fragmentText({ header: header('needs no symbol a') }),
    6,
    /no symbol NAME: WHY/,
  ],
  ['a need of a field without tracepoint', fragmentText({ header: header('needs field ret') }), 6, /FIELD\[/],
  [
    'a need whose reason is not set off',
    fragmentText({ header: header('needs field a:b.c because') }),
    6,
    /\[: WHY\]/,
  ],
  ['a need of two fragments', fragmentText({ header: header('needs fragment a b') }), 6, /fragment NAME/],
  ['an unknown switch', fragmentText({ header: header('runs when writes on') }), 6, /reads\|retries/],
  ['a switch named as a method', fragmentText({ header: header('runs when toString on') }), 6, /reads\|/],
  ['a switch without when', fragmentText({ header: header('runs reads exact') }), 6, /runs when reads/],
  ['no position', fragmentText({ header: header('runs when reads') }), 6, /reads is one of exact/],
  ['an unknown position', fragmentText({ header: header('runs when reads exact on') }), 6, /not "exact on"/],
  ['a print of no map', fragmentText({ header: header('prints waits') }), 6, /@map or @map:LIMIT, not waits/],
  ['a limit that is no number', fragmentText({ header: header('prints @waits:all') }), 6, /not @waits:all/],
  ['a map of no probe', fragmentText({ header: header('prints @wait') }), 1, /prints @wait: no probe/],
  ['an unknown directive', fragmentText({ header: header('author me') }), 6, /unknown directive "author"/],
  ['a directive named as a method', fragmentText({ header: header('toString x') }), 6, /unknown directive/],
  [
    'a directive named as a prototype',
    fragmentText({ header: header('__proto__ x') }),
    6,
    /unknown directive/,
  ],
  ['a directive without value', fragmentText({ header: header('rank') }), 6, /a directive is/],
  ['a constant without source', fragmentText({ defines: ['X 1'] }), 6, /#define NAME NUMBER/],
  [
    'a constant of an unknown source',
    fragmentText({ defines: ['X 1 // guess it'] }),
    6,
    /offset\|size\|address WHAT/,
  ],
  ['a constant in lower case', fragmentText({ defines: ['x 1 // size pt_regs'] }), 6, /#define NAME NUMBER/],
  ['a constant without number', fragmentText({ defines: ['X // size pt_regs'] }), 6, /#define NAME NUMBER/],
  ['a default that is not 0', fragmentText({ defines: ['X 1 // size a or 1'] }), 6, /\[or 0\]/],
  ['an offset of no member', fragmentText({ defines: ['X 1 // offset a'] }), 6, /#define NAME NUMBER/],
  ['a choice of sizes', fragmentText({ defines: ['X 1 // size a|b'] }), 6, /#define NAME NUMBER/],
  ['an end of a choice', fragmentText({ defines: ['X 1 // offset a.b|'] }), 6, /#define NAME NUMBER/],
  ['a source named as a method', fragmentText({ defines: ['X 1 // toString b'] }), 6, /#define NAME/],
  ['a fact with a default', fragmentText({ defines: ['X 1 // host a or 0'] }), 6, /host FACT/],
  ['a daemon by hand', fragmentText({ defines: ['X 77 // host daemon_pid'] }), 6, /X is 0 in the file/],
  [
    'a constant defined twice',
    fragmentText({ defines: ['X 1 // size a', 'X 1 // size b'] }),
    7,
    /X is defined twice/,
  ],
  ['an include', fragmentText({ body: `#include <linux/fs.h>\n${plainBody}` }), 7, /#define NAME NUMBER/],
  [
    'a constant among probes',
    fragmentText({ body: `${plainBody}#define X 1 // size a\n` }),
    11,
    /before the first/,
  ],
  ['a wildcard', fragmentText({ body: 'tracepoint:lock:*\n{\n}' }), 7, /no wildcards/],
  ['a probe and its block on one line', fragmentText({ body: 'kprobe:down_read { }' }), 7, /stands alone/],
  ['two probes on one line', fragmentText({ body: 'kprobe:a, kprobe:b\n{\n}' }), 7, /stands alone/],
  ['an offset into a function', fragmentText({ body: 'kprobe:a+8\n{\n}' }), 7, /stands alone/],
  ['a kind of no use here', fragmentText({ body: 'uprobe:/bin/sh:main\n{\n}' }), 7, /stands alone/],
  ['a tick of its own', fragmentText({ body: `interval:s:1\n{\n}\n${plainBody}` }), 7, /stands alone/],
  ['an indented probe', fragmentText({ body: `${plainBody}  kprobe:a\n{\n}` }), 11, /stands alone/],
  ['BEGIN', fragmentText({ body: `BEGIN\n{\n}\n${plainBody}` }), 7, /stands alone/],
  ['END', fragmentText({ body: `${plainBody}END {\n}\n` }), 11, /stands alone/],
];

test('what is malformed is named with file and line', async (context) => {
  for (const [what, text, line, words] of malformed)
    await context.test(what, () => {
      assert.throws(
        () => parseFragment('sample', text),
        (error: unknown) => {
          assert.ok(error instanceof MmaplockError, String(error));
          assert.equal(error.code, 'fragment_malformed');
          assert.equal(error.field, 'sample.bt');
          assert.match(error.message, words);
          assert.equal(/^sample\.bt:(\d+): /.exec(error.message)?.[1], String(line));
          return true;
        },
      );
    });
});

test('any text is a fragment or malformed, and nothing else', () => {
  const pieces = fc.constantFrom(
    '//@ mode watch',
    '//@ cost none',
    '//@ provides waits',
    '//@ constructor x',
    '//@ prints @a:99999999999999999999',
    '//@ needs field a:b.c: d',
    '//@ runs when __proto__ x',
    '//@ needs fragment d',
    '//@ at d e',
    '  //@ hook e',
    '#define A 1 // offset a.b',
    '#define __PROTO__ 1 // host constructor',
    '#define B 1 // constructor b',
    'tracepoint:a:b,',
    'kprobe:c',
    '{',
    '  @a = args->x; // }',
    '}',
    '\r',
    '//',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string({ unit: 'binary' })), { maxLength: 30 }), (lines) => {
      try {
        const fragment = parseFragment('hostile', lines.join('\n'));
        assert.ok(fragment.probes.length + fragment.additions.length > 0);
        // Nothing of the program is cut away with the header.
        for (const probe of fragment.probes) assert.ok(probe.line > fragment.bodyStart);
        for (const { start } of fragment.additions) assert.ok(start >= fragment.bodyStart);
        const written = fragment.lines.filter((line) => /^(tracepoint:a:b,|kprobe:c)\s*$/.test(line)).length;
        assert.ok(fragment.probes.length >= written, 'a probe was lost');
        assert.equal(
          fragment.additions.length,
          fragment.lines.filter((line) => /^\/\/@ at /.test(line)).length,
        );
      } catch (error) {
        if (!(error instanceof MmaplockError)) throw error;
        assert.match(error.message, /^hostile\.bt:\d+: /);
      }
    }),
    { numRuns: cases(1000) },
  );
});
