import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CostAccount } from '../../src/cost/account.js';
import { countsMisses } from '../../src/cost/misses.js';

const probes = {
  tracepoint: 'tracepoint:lock:contention_begin',
  kprobe: 'kprobe:down_read_killable',
  kretprobe: 'kretprobe:rwsem_down_read_slowpath',
  fentry: 'fentry:seq_read',
  kfunc: 'kretfunc:seq_read',
  interval: 'interval:s:1',
} as const;

/** Those of which a kernel counts what it skipped. */
const counted = (release: string): string[] =>
  Object.entries(probes).flatMap(([kind, probe]) => (countsMisses(release, probe) ? [kind] : []));

test('what was skipped of tracepoints and kprobes is counted from 6.7, of trampolines from 5.12', () => {
  assert.deepEqual(counted('5.10.0-28-amd64'), []);
  assert.deepEqual(counted('5.12.0'), ['fentry', 'kfunc']);
  assert.deepEqual(counted('6.1.0-18-amd64'), ['fentry', 'kfunc']);
  assert.deepEqual(counted('6.6.99'), ['fentry', 'kfunc']);
  assert.deepEqual(counted('6.7.0'), ['tracepoint', 'kprobe', 'kretprobe', 'fentry', 'kfunc']);
  assert.deepEqual(counted('10.0.0'), ['tracepoint', 'kprobe', 'kretprobe', 'fentry', 'kfunc']);
});

test('a release that cannot be read counts nothing', () => {
  assert.deepEqual(counted('unknown'), []);
});

/** A reading of a tracer with two programs. */
const readingOf = (...misses: readonly number[]) => ({
  cpuSeconds: 1,
  residentBytes: 1,
  mapBytes: 1,
  programs: misses.map((recursionMisses, index) => ({
    programId: index,
    runNanoseconds: 0,
    runs: 0,
    recursionMisses,
  })),
});

test('where the kernel does not count, nothing is told: a 0 would say that nothing was skipped', () => {
  const account = new CostAccount((probe) => countsMisses('6.1.0', probe));
  account.sample(7, readingOf(0, 0), [probes.tracepoint, probes.fentry]);
  assert.deepEqual([...account.misses], [[probes.fentry, 0]]);
});

test('a count that is there proves that the kernel has what a later one brought', () => {
  const account = new CostAccount((probe) => countsMisses('5.14.0-503.el9', probe));
  account.sample(7, readingOf(0, 0), [probes.tracepoint, probes.kprobe]);
  assert.deepEqual([...account.misses], []);
  account.sample(7, readingOf(3, 0), [probes.tracepoint, probes.kprobe]);
  assert.deepEqual([...account.misses], [[probes.tracepoint, 3]]);
});
