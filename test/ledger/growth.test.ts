import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Growth } from '../../src/ledger/growth.js';

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
