import assert from 'node:assert/strict';
import { test } from 'node:test';
import { budgetRatio } from '../../src/cost/budget.js';
import { isWorthGivingUp } from '../../src/cost/worth.js';

const probe = (name: string, ratio: number, runsPerSecond: number) => ({
  probe: name,
  ratio,
  runsPerSecond,
});
const step = (gone: readonly string[], lightened: readonly string[] = []) => ({
  gone: new Set(gone),
  lightened: new Set(lightened),
});

test('where spinlocks are what costs, nothing else is given up for it', () => {
  // 64 CPUs with 100,000 contended locks a second, 60 ns each, of which 50 are waits for an mmap_lock.
  const probes = [
    probe('tracepoint:lock:contention_end', 0.006, 100_000),
    probe('tracepoint:lock:contention_begin', 0.006, 100_000),
    probe('tracepoint:mmap_lock:mmap_lock_start_locking', 0.0004, 4000),
  ];
  const contention = ['tracepoint:lock:contention_begin', 'tracepoint:lock:contention_end'];
  const retries = step(['tracepoint:mmap_lock:mmap_lock_start_locking'], contention);
  assert.equal(isWorthGivingUp(probes, retries), false);
});

test('what is added to a probe that runs for waits is worth it, as is what goes with its probe', () => {
  const waits = [probe('kfunc:rwsem_down_write_slowpath', 0.02, 9000), probe('kfunc:seq_read', 0.001, 9000)];
  assert.equal(isWorthGivingUp(waits, step(['kfunc:seq_read'], ['kfunc:rwsem_down_write_slowpath'])), true);
  assert.equal(isWorthGivingUp(waits, step(['kfunc:seq_read'])), false);
  assert.equal(isWorthGivingUp([probe('tracepoint:a:b', 0.02, 1e6)], step(['tracepoint:a:b'])), true);
});

test('what is not known is given up as ever', () => {
  assert.equal(isWorthGivingUp([], step([])), true);
});

test('the budget is that of one core up to 8 CPUs, and grows with them from there', () => {
  assert.deepEqual(
    [1, 2, 8, 64, 256].map((cpus) => budgetRatio(1, cpus)),
    [0.01, 0.01, 0.01, 0.08, 0.32],
  );
  assert.equal(budgetRatio(0, 256), 0, '0 is no limit');
});
