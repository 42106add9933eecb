import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FailureLimit } from '../../../src/http/access/failure-limit.js';

const limited = () => {
  const world = { now: 0 };
  const limit = new FailureLimit({ ofAll: 4, ofOne: 2, now: () => world.now });
  const fail = (source: string) => {
    assert.equal(limit.wait(source), undefined);
    return limit.count(source);
  };
  return { world, limit, fail };
};

test('one source waits for its own failures, another does not', () => {
  const { world, limit, fail } = limited();
  fail('a');
  world.now = 10_000;
  fail('a');
  assert.equal(limit.wait('a'), 50, 'until the first of them is a minute old');
  assert.equal(limit.wait('b'), undefined);
  world.now = 59_999;
  assert.equal(limit.wait('a'), 1);
  world.now = 60_000;
  assert.equal(limit.wait('a'), undefined);
});

test('many sources share a limit', () => {
  const { world, limit, fail } = limited();
  for (const source of ['a', 'b', 'c', 'd']) {
    fail(source);
    world.now += 1000;
  }
  assert.equal(limit.wait('e'), 56);
});

test('what was no failure counts no longer', () => {
  const { limit, fail } = limited();
  const first = fail('a');
  fail('a');
  assert.notEqual(limit.wait('a'), undefined);
  limit.forgive(first);
  assert.equal(limit.wait('a'), undefined);
});
