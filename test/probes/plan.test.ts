import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probeSwitches } from '../../src/config/schema.js';
import { settings } from '../../src/config/settings.js';
import { MmaplockError } from '../../src/errors.js';
import type { Fragment } from '../../src/probes/fragment/fragment.js';
import { askedOfKernel, makePlan, type ProbePlan } from '../../src/probes/plan.js';
import { type ReasonCode, reasonCodes } from '../../src/probes/reasons.js';
import type { PlanOptions } from '../../src/probes/refusals.js';
import { observables } from '../../src/vocabulary.js';
import { everything, type FakeKernel, fakeKernel, fragmentOf, plainBody } from './fake.js';

/** Has everything that the fragments here want. */
const full: FakeKernel = {
  kprobes: true,
  functionTracing: 'readable',
  members: { 'mm_struct.mmap_lock': 184, 'pt_regs.orig_ax': 120 },
  sizes: { pt_regs: 168 },
  symbols: { down_read: 1, lock_next_vma: 1, seq_read: 1 },
  functions: ['down_read', 'lock_next_vma'],
  tracepoints: { 'lock:contention_begin': ['lock_addr', 'flags'] },
};

const plan = (
  fragments: readonly Fragment[],
  kernel: FakeKernel = full,
  options: Partial<PlanOptions> = {},
  problems: readonly MmaplockError[] = [],
): ProbePlan => makePlan({ fragments, problems }, fakeKernel(kernel), { ...everything, ...options });

const chosen = ({ chosen }: ProbePlan): string[] => chosen.map(({ fragment }) => fragment.name);
const codes = ({ refused }: ProbePlan, fragment: string): string[] =>
  refused.find((refusal) => refusal.fragment === fragment)?.reasons.map(({ code }) => code) ?? [];

const plainHeader = ['mode watch', 'provides waits', 'cost none'];
const byKprobe = 'kprobe:down_read\n{\n  @waits = count();\n}\n';
const byFentry = 'fentry:lock_next_vma\n{\n  @retries = count();\n}\n';
const waits = fragmentOf('waits', { defines: ['LOCK 1 // offset mm_struct.mmap_lock'] });

test('what this host can run is chosen, with the numbers of its kernel', () => {
  const result = plan([waits]);
  assert.deepEqual(chosen(result), ['waits']);
  assert.deepEqual([...(result.chosen[0]?.constants ?? [])], [['LOCK', 184]]);
  assert.deepEqual(result.refused, []);
  assert.deepEqual(result.observables.waits, { observed: true, source: 'waits' });
});

// Each code with a fragment and a host that lead to it.
const refusals: Readonly<Partial<Record<ReasonCode, () => ProbePlan>>> = {
  disabled_by_config: () => plan([waits], full, { disable: ['waits'] }),
  switched_off: () =>
    plan([fragmentOf('waits', { header: [...plainHeader, 'runs when reads exact'] })], full, {
      reads: 'opens',
    }),
  shed_for_cost: () => plan([waits], full, { shed: ['waits'] }),
  nothing_to_observe: () =>
    plan([
      fragmentOf('waits', {
        header: ['mode watch', 'provides waits when LOCK: it has no lock', 'cost none'],
        defines: ['LOCK 1 // offset mm_struct.gone or 0'],
      }),
    ]),
  needs_fragment: () => plan([fragmentOf('waits', { header: [...plainHeader, 'needs fragment gone'] })]),
  symbol_addresses_hidden: () => plan([fragmentOf('waits', { defines: ['X 1 // address seq_read'] })]),
  symbol_ambiguous: () =>
    plan([fragmentOf('waits', { defines: ['X 1 // address seq_read'] })], {
      ...full,
      symbols: { seq_read: 2 },
      addresses: { seq_read: 4096n },
    }),
  kind_not_allowed: () => plan([waits], full, { allow: ['kprobe', 'fentry'] }),
  kernel_lacks_tracepoint: () => plan([waits], { ...full, tracepoints: {} }),
  kernel_lacks_field: () =>
    plan([waits], { ...full, tracepoints: { 'lock:contention_begin': ['lock_addr'] } }),
  kernel_too_old: () =>
    plan(
      [fragmentOf('waits', { header: [...plainHeader, 'needs release 5.10.30 or 5.12: not safe before'] })],
      { ...full, upstream: [5, 11, 22] },
    ),
  preempt_rt: () => plan([fragmentOf('waits', { defines: ['X 1 // offset rw_semaphore.count'] })]),
  kernel_lacks_member: () => plan([waits], { ...full, members: {} }),
  kernel_lacks_symbol: () => plan([fragmentOf('waits', { body: byKprobe })], { ...full, symbols: {} }),
  too_dear: () =>
    plan([fragmentOf('waits', { header: [...plainHeader, 'needs no symbol down_read: all would pay'] })]),
  kernel_lacks_kprobes: () => plan([fragmentOf('waits', { body: byKprobe })], { ...full, kprobes: false }),
  kernel_lacks_function_tracing: () =>
    plan([fragmentOf('waits', { body: byFentry })], { ...full, functionTracing: 'absent' }),
  function_not_traceable: () => plan([fragmentOf('waits', { body: byFentry })], { ...full, functions: [] }),
  tracefs_missing: () =>
    plan([waits], { ...full, tracepoints: {}, problems: [new MmaplockError('tracefs_missing', 'none')] }),
  tracefs_unreadable: () =>
    plan([waits], {
      ...full,
      tracepoints: {},
      problems: [new MmaplockError('tracefs_unreadable', 'no')],
    }),
  btf_unavailable: () => plan([waits], { ...full, btf: false }),
  unknown_host_fact: () => plan([fragmentOf('waits', { defines: ['X 1 // host moon_phase'] })]),
  inspect_only: () =>
    plan([fragmentOf('waits', { header: ['mode inspect', 'provides waits', 'cost much'] })]),
  start_only: () => plan([fragmentOf('waits', { header: ['mode start', 'provides waits', 'cost some'] })]),
  rejected_by_bpftrace: () => plan([waits], full, { rejected: new Map([['waits', 'stdin:3: ERROR: no']]) }),
};

test('a fragment that is refused says why, and so does what it would have shown', async (context) => {
  for (const [code, make] of Object.entries(refusals))
    await context.test(code, () => {
      const result = make();
      assert.deepEqual(chosen(result), []);
      assert.deepEqual(codes(result, 'waits'), [code]);
      assert.equal(result.observables.waits.observed, false);
      assert.equal(result.observables.waits.reason?.code, code);
      assert.notEqual(result.observables.waits.reason?.detail, '');
    });
});

test('a stable release with the fix is as good as the release that has it first', () => {
  const fragment = fragmentOf('waits', {
    header: [...plainHeader, 'needs release 5.10.30 or 5.12: not safe before'],
  });
  const runs = (...upstream: readonly [number, number, number]): boolean =>
    chosen(plan([fragment], { ...full, upstream })).length > 0;
  assert.deepEqual(
    [runs(5, 10, 30), runs(5, 10, 237), runs(5, 12, 0), runs(6, 1, 0)],
    [true, true, true, true],
  );
  assert.deepEqual(
    [runs(5, 10, 29), runs(5, 11, 30), runs(5, 4, 280), runs(4, 19, 0)],
    [false, false, false, false],
  );
  assert.deepEqual(plan([fragment], { ...full, upstream: [5, 10, 0] }).observables.waits.reason, {
    code: 'kernel_too_old',
    detail: 'not safe before: it needs 5.10.30 or 5.12 or later',
  });
});

test('no reason code is without a way to it', () => {
  const elsewhere: ReasonCode[] = [
    'covered_by_other',
    'fragment_malformed',
    'kernel_lockdown', // a test of its own, and for the three that follow findings.test.ts
    'own_pid_namespace',
    'reads_unproven',
    'registers_unproven',
    'no_fragment',
    'not_on_this_machine',
    'nothing_needs_it',
  ];
  assert.deepEqual([...Object.keys(refusals), ...elsewhere].sort(), [...reasonCodes].sort());
});

test('nothing runs under lockdown, for one reason', () => {
  const others = [waits, fragmentOf('reads', { body: byKprobe }), fragmentOf('look', { body: byFentry })];
  const {
    chosen: running,
    refused,
    observables,
  } = makePlan(
    { fragments: others, problems: [] },
    { ...fakeKernel({ ...full, tracepoints: {}, kprobes: false }), lockdown: 'confidentiality' },
    everything,
  );
  assert.deepEqual(running, []);
  assert.equal(observables.waits.reason?.code, 'kernel_lockdown');
  const told = refused.flatMap(({ reasons }) => reasons.map(({ code }) => code));
  assert.deepEqual(told, Array(3).fill('kernel_lockdown'));
});

test('the refusal of bpftrace is given word for word', () => {
  const { refused } = plan([waits], full, { rejected: new Map([['waits', 'waits.bt:60: unknown field']]) });
  assert.equal(refused[0]?.reasons[0]?.detail, 'waits.bt:60: unknown field');
});

test('all that is missing is told at once, and nothing twice', () => {
  const body = `${byKprobe}kretprobe:down_read\n{\n}\ntracepoint:a:b\n{\n}\n`;
  const defines = ['A 1 // offset mm_struct.gone', 'B 1 // offset mm_struct.gone'];
  const header = ['mode watch', 'provides waits', 'cost none', 'needs symbol vanished'];
  const result = plan([fragmentOf('waits', { header, defines, body })], { ...full, kprobes: false });
  assert.deepEqual(codes(result, 'waits'), [
    'kernel_lacks_kprobes',
    'kernel_lacks_tracepoint',
    'kernel_lacks_symbol',
    'kernel_lacks_member',
  ]);
});

test('a function that several places of the kernel define cannot be traced', () => {
  const result = plan([fragmentOf('waits', { body: byKprobe })], { ...full, symbols: { down_read: 2 } });
  assert.deepEqual(codes(result, 'waits'), ['function_not_traceable']);
});

test('fentry wants the function in BTF, a kprobe does not', () => {
  const kernel = { ...full, functions: [] };
  assert.deepEqual(chosen(plan([fragmentOf('waits', { body: byKprobe })], kernel)), ['waits']);
  assert.deepEqual(chosen(plan([fragmentOf('waits', { body: byFentry })], kernel)), []);
});

const ranked = (name: string, rank: number, ...more: string[]): Fragment =>
  fragmentOf(name, { header: ['mode watch', 'provides waits', 'cost none', `rank ${rank}`, ...more] });

test('of two that provide the same, the one of lower rank runs, whatever their names', () => {
  const result = plan([ranked('a', 20), ranked('b', 10)]);
  assert.deepEqual(chosen(result), ['b']);
  assert.deepEqual(codes(result, 'a'), ['covered_by_other']);
  assert.equal(result.refused[0]?.reasons[0]?.detail, 'b provides the same');
  assert.equal(result.observables.waits.source, 'b');
  assert.deepEqual(chosen(plan([ranked('b', 10), ranked('a', 10)])), ['a']);
});

test('the dearer one runs where the cheaper one cannot, or adds something of its own', () => {
  assert.deepEqual(chosen(plan([ranked('a', 20), ranked('b', 10)], full, { disable: ['b'] })), ['a']);
  const both = plan([ranked('a', 20, 'provides holds'), ranked('b', 10)]);
  assert.deepEqual(chosen(both), ['b', 'a']);
  assert.equal(both.observables.waits.source, 'b');
  assert.equal(both.observables.holds.source, 'a');
});

const withOperations = fragmentOf('waits', {
  header: ['mode watch', 'provides waits', 'provides operations when NUMBER', 'cost none'],
  defines: ['NUMBER 1 // host syscall_number'],
});

test('on a machine whose system call number is not found, waits are seen and operations are not', () => {
  assert.equal(plan([withOperations]).observables.operations.observed, true);
  const arm = plan([withOperations], { ...full, machine: 'aarch64' });
  assert.deepEqual(chosen(arm), ['waits']);
  assert.equal(arm.observables.waits.observed, true);
  assert.deepEqual(arm.observables.operations, {
    observed: false,
    reason: { code: 'not_on_this_machine', detail: 'this version cannot tell it on aarch64' },
  });
});

test('a fragment with nothing to show on this machine does not run', () => {
  const only = fragmentOf('only', {
    header: ['mode watch', 'provides operations when NUMBER', 'cost none'],
    defines: ['NUMBER 1 // host syscall_number'],
  });
  const result = plan([only], { ...full, machine: 'aarch64' });
  assert.deepEqual(chosen(result), []);
  assert.deepEqual(codes(result, 'only'), ['not_on_this_machine']);
});

// As the shipped fragments depend on each other: retries needs reads, which needs opens; blocks adds to waits.
const opens = fragmentOf('opens', {
  header: ['mode watch', 'provides opens', 'cost none', 'runs when reads exact opens'],
});
const reads = fragmentOf('reads', {
  header: ['mode watch', 'provides reads', 'cost none', 'runs when reads exact', 'needs fragment opens'],
});
const why = 'before 6.14 each event resolves a path';
const retries = fragmentOf('a-retries', {
  header: [
    'mode watch',
    'provides retries',
    'cost none',
    'runs when retries on',
    'needs fragment reads',
    `needs field mmap_lock:mmap_lock_start_locking.memcg_id: ${why}`,
  ],
});
const blocks = fragmentOf('blocks', {
  header: ['mode watch', 'provides blocks', 'cost none', 'needs fragment waits', 'needs fragment reads'],
  body: '//@ at waits begun\n  @blocks = count();\n',
});
const hooked = fragmentOf('waits', { body: plainBody.replace('}', '  //@ hook begun: nothing\n}') });
const readers = [retries, blocks, opens, reads, hooked];
const modern: FakeKernel = {
  ...full,
  tracepoints: { ...full.tracepoints, 'mmap_lock:mmap_lock_start_locking': ['mm', 'memcg_id'] },
};
const observed = ({ observables: seen }: ProbePlan): string[] =>
  observables.filter((what) => seen[what].observed);

test('fragments that need others run beside them, in the order of ranks and names', () => {
  const result = plan(readers, modern);
  assert.deepEqual(chosen(result), ['a-retries', 'blocks', 'opens', 'reads', 'waits']);
  assert.deepEqual(result.refused, []);
  assert.deepEqual(observed(result), ['waits', 'opens', 'reads', 'retries', 'blocks']);
});

test('the switches leave out what they name, and what cannot be without it', () => {
  const opened = plan(readers, modern, { reads: 'opens' });
  assert.deepEqual(chosen(opened), ['opens', 'waits']);
  assert.deepEqual(observed(opened), ['waits', 'opens']);
  const leftOut = { code: 'switched_off', detail: '--reads opens (probes.reads) leaves it out' };
  assert.deepEqual(opened.observables.reads.reason, leftOut);
  for (const what of ['retries', 'blocks'] as const)
    assert.deepEqual(opened.observables[what].reason, {
      code: 'needs_fragment',
      detail: `it needs reads, which does not run: ${leftOut.detail}`,
    });
  assert.deepEqual(observed(plan(readers, modern, { reads: 'off' })), ['waits']);

  const calm = plan(readers, modern, { retries: 'off' });
  assert.deepEqual(observed(calm), ['waits', 'opens', 'reads', 'blocks']);
  assert.deepEqual(calm.observables.retries.reason, {
    code: 'switched_off',
    detail: '--retries off (probes.retries) leaves it out',
  });
});

test('without leave for any probe nothing runs, and all says that it was switched off', () => {
  const inspecting = fragmentOf('holds', { header: ['mode inspect', 'provides holds', 'cost much'] });
  const result = plan([...readers, inspecting], modern, { allow: ['none'] });
  assert.deepEqual(chosen(result), []);
  for (const { fragment, reasons } of result.refused)
    assert.deepEqual(
      reasons.map(({ code }) => code),
      ['switched_off'],
      fragment,
    );
  for (const what of ['waits', 'opens', 'reads', 'retries', 'blocks', 'holds'] as const)
    assert.deepEqual(result.observables[what].reason, {
      code: 'switched_off',
      detail: '--probes.allow none (probes.allow) leaves out all probes',
    });
});

test('what only watched victims need runs where some are named', () => {
  const watched = fragmentOf('watched', { header: [...plainHeader, 'runs when watched_victims on'] });
  assert.deepEqual(chosen(plan([watched])), ['watched']);
  const calm = plan([watched], full, { watched_victims: 'off' });
  assert.deepEqual(calm.refused[0]?.reasons, [
    { code: 'switched_off', detail: 'metrics.watched_victims names nobody' },
  ]);
});

test('the flag a reason names is the flag of its setting', () => {
  for (const key of Object.keys(probeSwitches))
    assert.equal(settings.get(`probes.${key}`)?.flag, key.replaceAll('_', '-'));
});

test('with a fragment that bpftrace rejected go those that need it, and no others', () => {
  const result = plan(readers, modern, { rejected: new Map([['opens', 'opens.bt:60: no']]) });
  assert.deepEqual(chosen(result), ['waits']);
  assert.deepEqual(result.observables.opens.reason, {
    code: 'rejected_by_bpftrace',
    detail: 'opens.bt:60: no',
  });
  assert.deepEqual(result.observables.reads.reason, {
    code: 'needs_fragment',
    detail: 'it needs opens, which does not run: opens.bt:60: no',
  });
  assert.deepEqual(result.observables.blocks.reason, {
    code: 'needs_fragment',
    detail: 'it needs reads, which does not run: it needs opens, which does not run: opens.bt:60: no',
  });
  const last = plan(readers, modern, { rejected: new Map([['a-retries', 'no']]) });
  assert.deepEqual(chosen(last), ['blocks', 'opens', 'reads', 'waits']);
  const unblamed = plan(readers, modern, { rejected: new Map([['blocks', 'blocks.bt:9: no']]) });
  assert.deepEqual(chosen(unblamed), ['a-retries', 'opens', 'reads', 'waits']);
});

test('a field that is missing is told in the words of the fragment', () => {
  const { 'lock:contention_begin': fields = [] } = full.tracepoints ?? {};
  const older = {
    'lock:contention_begin': fields,
    'mmap_lock:mmap_lock_start_locking': ['mm', 'memcg_path'],
  };
  const result = plan(readers, { ...full, tracepoints: older });
  assert.deepEqual(chosen(result), ['blocks', 'opens', 'reads', 'waits']);
  assert.deepEqual(result.observables.retries.reason, { code: 'kernel_lacks_field', detail: why });
  assert.equal(plan(readers).observables.retries.reason?.code, 'kernel_lacks_tracepoint');
});

test('what needs a fragment that cannot be read says so, and the others run', () => {
  const problem = new MmaplockError('fragment_malformed', 'reads.bt:3: no', { field: 'reads.bt' });
  const result = plan([retries, blocks, opens, hooked], modern, {}, [problem]);
  assert.deepEqual(chosen(result), ['opens', 'waits']);
  for (const what of ['retries', 'blocks'] as const)
    assert.deepEqual(result.observables[what].reason, {
      code: 'needs_fragment',
      detail: 'it needs reads, which does not run: reads.bt:3: no',
    });
});

test('a fragment that another covers does not run for those that need it', () => {
  const cheaper = fragmentOf('cheaper', {
    header: ['mode watch', 'provides reads', 'cost none', 'rank 10'],
  });
  const result = plan([reads, opens, retries, cheaper], modern);
  assert.deepEqual(chosen(result), ['cheaper', 'opens']);
  assert.deepEqual(result.observables.retries.reason, {
    code: 'needs_fragment',
    detail: 'it needs reads, which does not run: cheaper provides the same',
  });
});

test('an address is a number of the plan, with every bit', () => {
  const fragment = fragmentOf('waits', { defines: ['OPEN 0 // address seq_read'] });
  const result = plan([fragment], { ...full, addresses: { seq_read: 0xffffffff814a6f31n } });
  assert.deepEqual([...(result.chosen[0]?.constants ?? [])], [['OPEN', 0xffffffff814a6f31n]]);
});

test('what no fragment provides says so, and each observable is answered', () => {
  const result = plan([waits]);
  assert.deepEqual(Object.keys(result.observables), [...observables]);
  assert.equal(result.observables.holds.reason?.code, 'no_fragment');
});

test('a malformed fragment is among the refused, under its name', () => {
  const problem = new MmaplockError('fragment_malformed', 'odd.bt:3: no', { field: 'odd.bt' });
  const result = plan([waits], full, {}, [problem]);
  assert.deepEqual(chosen(result), ['waits']);
  assert.deepEqual(result.refused, [
    { fragment: 'odd', reasons: [{ code: 'fragment_malformed', detail: 'odd.bt:3: no' }] },
  ]);
});

test('the kernel is asked for every symbol and tracepoint that decides', () => {
  const fragments = [
    waits,
    fragmentOf('other', {
      body: byFentry,
      header: ['mode watch', 'cost none', 'needs symbol x', 'needs field mmap_lock:start.mm'],
      defines: ['OPEN 0 // address y or 0'],
    }),
  ];
  const { symbols, tracepoints } = askedOfKernel({ fragments, problems: [] });
  assert.deepEqual([...tracepoints], ['lock:contention_begin', 'mmap_lock:start']);
  for (const symbol of ['lock_next_vma', 'x', 'y', 'asm_fred_entrypoint_user', '__asan_load8'])
    assert.ok(symbols.has(symbol), symbol);
});
