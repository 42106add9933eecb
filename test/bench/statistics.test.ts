import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { quantile, spreadOf } from './statistics.js';

test('the median is the middle, or half way between the two in the middle', () => {
  assert.equal(quantile([3, 1, 2], 0.5), 2);
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5);
  assert.equal(quantile([7], 0.5), 7);
});

test('quartiles lie between neighbours in proportion', () => {
  assert.deepEqual(spreadOf([10, 20, 30, 40, 50]), { median: 30, lower: 20, upper: 40 });
  assert.deepEqual(spreadOf([1, 2]), { median: 1.5, lower: 1.25, upper: 1.75 });
});

test('one wild round moves the median by no more than a place', () => {
  const rounds = [1.01, 1.02, 1.02, 1.03, 1.03, 1.04, 1.04, 1.05, 1.06];
  assert.ok(Math.abs(spreadOf([...rounds, 9]).median - spreadOf(rounds).median) <= 0.01);
});

test('there is no median of nothing', () => {
  assert.throws(() => spreadOf([]), RangeError);
});

test('quartiles are in order and within the values, whatever these are', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1 }), (values) => {
      const { lower, median, upper } = spreadOf(values);
      assert.ok(Math.min(...values) <= lower && lower <= median && median <= upper);
      assert.ok(upper <= Math.max(...values));
    }),
  );
});
