import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentGrowth } from '../../../src/ledger/incidents/recent-growth.js';

const t0 = Date.parse('2026-06-01T12:00:00Z');

const names = (growth: RecentGrowth<{ name: string }>, from: number, to: number): string[] =>
  growth.within({ from: t0 + from, to: t0 + to }).map(({ name }) => name);

test('a span finds the ticks that reach into it, and none that only touches it', () => {
  const growth = new RecentGrowth<{ name: string }>();
  for (const second of [1, 2, 3, 4]) {
    growth.add({ name: `tick ${second}` }, t0 + second * 1000);
    growth.ticked(t0 + second * 1000);
  }
  assert.deepEqual(names(growth, 1500, 2500), ['tick 2', 'tick 3']);
  assert.deepEqual(names(growth, 2000, 3000), ['tick 3']);
  assert.deepEqual(names(growth, -9000, 500), ['tick 1'], 'of the first tick nobody knows when it began');
  assert.deepEqual(names(growth, 4000, 9000), []);
});

test('a tick that could not be read is in the next one, which then reaches over both', () => {
  const growth = new RecentGrowth<{ name: string }>();
  growth.ticked(t0 + 1000);
  growth.add({ name: 'both' }, t0 + 3000);
  growth.ticked(t0 + 3000);
  assert.deepEqual(names(growth, 1100, 1200), ['both']);
});

test('bounds: rows in all, the oldest go first; a minute; a clock that was set back', () => {
  const growth = new RecentGrowth<{ name: string }>(3);
  for (const name of ['a', 'b', 'c', 'd']) growth.add({ name }, t0 + 1000);
  growth.ticked(t0 + 1000);
  assert.deepEqual(names(growth, 0, 2000), ['b', 'c', 'd']);
  growth.ticked(t0 + 60_000);
  assert.equal(names(growth, 0, 2000).length, 3);
  growth.ticked(t0 + 70_000);
  assert.deepEqual(names(growth, 0, 2000), []);
  growth.add({ name: 'e' }, t0 + 71_000);
  growth.ticked(t0 + 71_000);
  growth.ticked(t0 - 3_600_000);
  assert.deepEqual(names(growth, 0, 99_000), []);
});
