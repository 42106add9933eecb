import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lowest, type Point, theilSen } from './slope.js';

const line = (slope: number, disturb: (index: number) => number = () => 0): Point[] =>
  Array.from({ length: 60 }, (_, index) => ({ at: index, value: 100 + slope * index + disturb(index) }));

test('a straight line has its slope, and no doubt about it', () => {
  const { slope, low, high } = theilSen(line(3));
  for (const value of [slope, low, high]) assert.ok(Math.abs(value - 3) < 1e-9, `${value}`);
});

test('a quarter of wild points does not move it', () => {
  const { slope } = theilSen(line(-2, (index) => (index % 4 === 0 ? 10_000 * (index % 8) : 0)));
  assert.ok(Math.abs(slope + 2) < 0.5, `${slope}`);
});

test('a saw that comes back to where it was is flat, and its interval holds 0', () => {
  const { slope, low, high } = theilSen(line(0, (index) => index % 7));
  assert.ok(Math.abs(slope) < 0.05, `${slope}`);
  assert.ok(low <= 0 && high >= 0 && low < high, `${low} to ${high}`);
});

test('a saw that climbs a little with each tooth is not flat once its teeth are cut off', () => {
  const saw = line(0.5, (index) => index % 10);
  const { slope, low } = theilSen(lowest(saw, 10));
  assert.ok(Math.abs(slope - 0.5) < 0.01 && low > 0.4, `${low}, ${slope}`);
});

test('of each span the least is left, at its own time', () => {
  const points = [3, 1, 2, 9, 8, 7].map((value, at) => ({ at, value }));
  assert.deepEqual(lowest(points, 3), [
    { at: 1, value: 1 },
    { at: 5, value: 7 },
  ]);
});
