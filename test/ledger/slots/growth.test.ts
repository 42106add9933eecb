import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Growth } from '../../../src/ledger/slots/growth.js';

test('growth is taken once, starts over with a new tracer and is never negative', () => {
  const growth = new Growth();
  assert.equal(growth.takeAll('a', 5), 5);
  assert.equal(growth.takeAll('a', 5), 0);
  assert.equal(growth.takeAll('a', 9), 4);
  assert.equal(growth.takeAll('a', 2), 0);
  assert.equal(growth.takeAll('b', 2), 2);
  growth.reset();
  assert.equal(growth.takeAll('a', 3), 3);
});

test('growth that is not taken is there the next time', () => {
  const growth = new Growth();
  assert.equal(growth.takeUpTo('a', 5, 3), 3);
  assert.equal(growth.takeUpTo('a', 5, 0), 0);
  assert.equal(growth.takeUpTo('a', 6, 10), 3);
});

test('a key that is forgotten starts over', () => {
  const growth = new Growth();
  growth.takeAll('a', 5);
  growth.takeAll('b', 5);
  growth.keepOnly(new Set(['b', 'c']));
  assert.deepEqual([growth.has('a'), growth.has('b'), growth.has('c')], [false, true, false]);
  assert.equal(growth.takeAll('b', 6), 1);
});
