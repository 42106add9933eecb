import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lagFamilies } from '../../src/metrics/event-loop-lag.js';
import type { Family } from '../../src/metrics/family.js';

const read = (families: readonly Family[], name: string): number | undefined =>
  [...families.find((family) => family.name === name)!.samples()][0]?.value;

/** Holds the event loop. */
const hold = (milliseconds: number): void => {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
};

const pass = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

test('an event loop that was held shows its lag once, and without time for it', async () => {
  const families = lagFamilies(100);
  const lag = () => ({
    mean: read(families, 'nodejs_eventloop_lag_seconds')!,
    p99: read(families, 'nodejs_eventloop_lag_p99_seconds')!,
  });
  lag();
  // The first look after a scrape begins the time that the second one measures.
  await pass(240);
  hold(400);
  // The first timer is due at once, for its time was counted from before.
  await pass(120);
  await pass(120);
  const held = lag();
  assert.ok(held.p99 > 0.2, `held for 0.4 s: ${held.p99} s late`);
  assert.ok(held.mean > 0 && held.mean <= held.p99, `a mean of ${held.mean} s`);
  assert.deepEqual(lag(), { mean: 0, p99: 0 }, 'no look since the scrape before');
});
