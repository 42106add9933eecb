import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CostAccount } from '../../src/cost/account.js';
import type { TracerCost } from '../../src/cost/tracer.js';

const cost = (cpuSeconds: number, misses: readonly number[] = [], bytes = 4096): TracerCost => ({
  cpuSeconds: cpuSeconds,
  residentBytes: 100 * bytes,
  mapBytes: bytes,
  programs: misses.map((recursionMisses, index) => ({
    programId: index + 1,
    runNanoseconds: 0,
    runs: 0,
    recursionMisses,
  })),
});
const probes = ['tracepoint:lock:contention_begin', 'interval:s:1'];

test('what one tracer has used so far is counted once', () => {
  const account = new CostAccount();
  account.sample(7, cost(1.5), probes);
  account.sample(7, cost(1.5), probes);
  account.sample(7, cost(2), probes);
  assert.equal(account.cpuSeconds, 2);
});

test('totals go on over a restart of the tracer, which begins at zero', () => {
  const account = new CostAccount();
  account.sample(7, cost(2, [3, 0]), probes);
  account.sample(8, cost(0.5, [1, 1]), probes);
  assert.equal(account.cpuSeconds, 2.5);
  assert.deepEqual(Object.fromEntries(account.misses), { [probes[0]!]: 4, [probes[1]!]: 1 });
});

test('while no tracer runs, nothing is resident and the totals stay', () => {
  const account = new CostAccount();
  account.sample(7, cost(2, [3, 0]), probes);
  assert.deepEqual([account.residentBytes, account.mapBytes], [409_600, 4096]);
  account.sample(undefined, undefined, probes);
  assert.deepEqual([account.residentBytes, account.mapBytes], [undefined, undefined]);
  assert.equal(account.cpuSeconds, 2);
  assert.equal(account.misses.get(probes[0]!), 3);
});

test('a reading that failed once loses nothing and counts nothing twice', () => {
  const account = new CostAccount();
  account.sample(7, cost(2, [3, 0]), probes);
  account.sample(7, undefined, probes);
  account.sample(7, cost(3, [5, 0]), probes);
  assert.equal(account.cpuSeconds, 3);
  assert.equal(account.misses.get(probes[0]!), 5);
});

test('a process id taken over by a new tracer takes no total back', () => {
  const account = new CostAccount();
  account.sample(7, cost(9, [9, 9]), probes);
  account.sample(7, cost(1, [1, 1]), probes);
  assert.equal(account.cpuSeconds, 9);
  account.sample(7, cost(2, [2, 1]), probes);
  assert.equal(account.cpuSeconds, 10);
  assert.deepEqual([...account.misses.values()], [10, 9]);
});

test('misses are told by probe only where there is one program for each', () => {
  const account = new CostAccount();
  account.sample(7, cost(1, [2, 3, 4]), probes);
  assert.deepEqual(Object.fromEntries(account.misses), { unknown: 9 });
});

test('a probe that missed nothing is told with 0', () => {
  const account = new CostAccount();
  account.sample(7, cost(1, [0, 0]), probes);
  assert.deepEqual(Object.fromEntries(account.misses), { [probes[0]!]: 0, [probes[1]!]: 0 });
});

test('the tracer of inspect mode counts into the CPU time, each sign of it once', () => {
  const account = new CostAccount();
  account.sample(7, cost(2), probes);
  account.sampleSecond(9, { cpuSeconds: 1 });
  account.sampleSecond(9, { cpuSeconds: 1.25 });
  account.sampleSecond(9, undefined);
  account.sample(7, cost(3), probes);
  assert.equal(account.cpuSeconds, 4.25);
  account.sampleSecond(10, { cpuSeconds: 0.5 });
  assert.equal(account.cpuSeconds, 4.75);
});

test('the last sample goes when its tracer does, and the total stays', () => {
  const account = new CostAccount();
  const tracers = new Map([
    [
      7,
      [
        { runs: 10, nanoseconds: 1e6 },
        { runs: 1, nanoseconds: 4e6 },
      ],
    ],
  ]);
  account.addProbeSample({ endedAt: 0, seconds: 1, ratio: 0.005, tracers }, 60, { pid: 7, probes });
  assert.equal(account.probeRunSeconds, 0.3);
  assert.deepEqual(
    account.probes.map(({ probe, ratio }) => [probe, ratio]),
    [
      [probes[1], 0.004],
      [probes[0], 0.001],
    ],
  );
  account.withoutProbeSample();
  assert.deepEqual([account.probeCostRatio, account.probes], [undefined, []]);
  assert.equal(account.probeRunSeconds, 0.3);
});
