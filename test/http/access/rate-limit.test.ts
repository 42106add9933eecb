import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WebRate } from '../../../src/config/web/file.js';
import { RateLimit } from '../../../src/http/access/rate-limit.js';

const limited = (rate: WebRate | undefined) => {
  const world = { now: 0, rate };
  const limit = new RateLimit({ rate: () => world.rate, now: () => world.now });
  /** How many of so many requests at once are served. */
  const served = (asked: number): number =>
    Array.from({ length: asked }, () => limit.refusal()).filter((refusal) => refusal === undefined).length;
  return { world, limit, served };
};

test('without a rate all are served', () => {
  assert.equal(limited(undefined).served(10_000), 10_000);
});

test('a burst at once, then one each interval, and never more than a burst is saved up', () => {
  const { world, served } = limited({ intervalMilliseconds: 100, burst: 5 });
  assert.equal(served(50), 5);
  world.now += 99;
  assert.equal(served(50), 0);
  world.now += 1;
  assert.equal(served(50), 1);
  world.now += 350;
  assert.equal(served(50), 3);
  world.now += 3_600_000;
  assert.equal(served(50), 5);
});

test('who is refused is told when to come again', () => {
  const { limit, world } = limited({ intervalMilliseconds: 2500, burst: 1 });
  assert.equal(limit.refusal(), undefined);
  const refusal = limit.refusal();
  assert.deepEqual([refusal?.error.code, refusal?.headers], ['too_many_requests', { 'retry-after': '3' }]);
  world.now += 2500;
  assert.equal(limit.refusal(), undefined);
});

test('another rate begins full, the same one goes on', () => {
  const { world, served } = limited({ intervalMilliseconds: 1000, burst: 2 });
  assert.equal(served(3), 2);
  world.rate = { intervalMilliseconds: 1000, burst: 2 };
  assert.equal(served(3), 0, 'the file was read again, and says the same');
  world.rate = { intervalMilliseconds: 1000, burst: 3 };
  assert.equal(served(5), 3);
});
