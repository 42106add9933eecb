import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MmaplockError } from '../../src/errors.js';
import type { Fragment } from '../../src/probes/fragment.js';
import { askedOfKernel, makePlan, type PlanOptions, type ProbePlan } from '../../src/probes/plan.js';
import { type ReasonCode, reasonCodes } from '../../src/probes/reasons.js';
import { observables } from '../../src/vocabulary.js';
import { type FakeKernel, fakeKernel, fragmentOf } from './fake.js';

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

const everything: PlanOptions = {
  allow: ['tracepoint', 'kprobe', 'fentry'],
  disable: [],
  rejected: new Map(),
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
  kind_not_allowed: () => plan([waits], full, { allow: ['kprobe', 'fentry'] }),
  kernel_lacks_tracepoint: () => plan([waits], { ...full, tracepoints: {} }),
  kernel_lacks_field: () =>
    plan([waits], { ...full, tracepoints: { 'lock:contention_begin': ['lock_addr'] } }),
  kernel_lacks_member: () => plan([waits], { ...full, members: {} }),
  kernel_lacks_symbol: () => plan([fragmentOf('waits', { body: byKprobe })], { ...full, symbols: {} }),
  kernel_lacks_kprobes: () => plan([fragmentOf('waits', { body: byKprobe })], { ...full, kprobes: false }),
  kernel_lacks_function_tracing: () =>
    plan([fragmentOf('waits', { body: byFentry })], { ...full, functionTracing: 'absent' }),
  function_not_traceable: () => plan([fragmentOf('waits', { body: byFentry })], { ...full, functions: [] }),
  tracefs_missing: () =>
    plan([waits], { ...full, tracepoints: {}, problems: [new MmaplockError('tracefs_missing', 'none')] }),
  btf_unavailable: () => plan([waits], { ...full, btf: false }),
  unknown_host_fact: () => plan([fragmentOf('waits', { defines: ['X 1 // host moon_phase'] })]),
  inspect_only: () =>
    plan([fragmentOf('waits', { header: ['mode inspect', 'provides waits', 'cost much'] })]),
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

test('no reason code is without a way to it', () => {
  const elsewhere: ReasonCode[] = [
    'covered_by_other',
    'fragment_malformed',
    'no_fragment',
    'not_on_this_machine',
  ];
  assert.deepEqual([...Object.keys(refusals), ...elsewhere].sort(), [...reasonCodes].sort());
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

test('what no fragment provides says so, and each observable is answered', () => {
  const result = plan([waits]);
  assert.deepEqual(Object.keys(result.observables), [...observables]);
  assert.equal(result.observables.retries.reason?.code, 'no_fragment');
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
    fragmentOf('other', { body: byFentry, header: ['mode watch', 'cost none', 'needs symbol x'] }),
  ];
  const { symbols, tracepoints } = askedOfKernel({ fragments, problems: [] });
  assert.deepEqual([...tracepoints], ['lock:contention_begin']);
  for (const symbol of ['lock_next_vma', 'x', 'asm_fred_entrypoint_user', '__asan_load8'])
    assert.ok(symbols.has(symbol), symbol);
});
