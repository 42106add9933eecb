import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longestStartSeconds, startLimitSeconds } from '../../../src/bpftrace/process/start-limit.js';

const took = (startMilliseconds: number) => ({ startMilliseconds });

test('where the smallest program starts as fast as usual, what is configured holds', () => {
  for (const milliseconds of [100, 300, 1000]) assert.equal(startLimitSeconds(20, took(milliseconds)), 20);
  assert.equal(startLimitSeconds(20, undefined), 20);
});

test('where it takes longer, so may every other', () => {
  assert.equal(startLimitSeconds(20, took(4500)), 90);
});

test('no start may take for ever, but as long as is configured', () => {
  assert.equal(startLimitSeconds(20, took(10_000_000)), longestStartSeconds);
  assert.equal(startLimitSeconds(longestStartSeconds + 1, took(4500)), longestStartSeconds + 1);
});

test('one that was not ready in time gets twice as long the next time', () => {
  assert.deepEqual(
    [0, 1, 2, 9].map((late) => startLimitSeconds(20, took(500), late)),
    [20, 40, 80, longestStartSeconds],
  );
});
