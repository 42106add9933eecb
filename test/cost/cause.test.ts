import assert from 'node:assert/strict';
import { test } from 'node:test';
import { causeOf, type Runs } from '../../src/cost/cause.js';

const runs = (probe: string, cgroupId: string, uid: number, count: number): Runs => ({
  probe,
  cgroupId,
  uid,
  count,
});

test('a share is of what the probes cost, not of how often they ran', () => {
  const seen = [runs('cheap', '10', 1000, 990), runs('cheap', '20', 0, 10), runs('dear', '20', 0, 4)];
  const cause = causeOf(
    seen,
    new Map([
      ['cheap', 0.01],
      ['dear', 0.03],
    ]),
  );
  assert.equal(cause?.cgroup.id, '20');
  assert.ok(Math.abs((cause?.cgroup.share ?? 0) - (0.0001 + 0.03) / 0.04) < 1e-9, JSON.stringify(cause));
  assert.deepEqual(cause?.user, { uid: 0, share: cause?.cgroup.share });
});

test('a user of many cgroups, and a cgroup of many users, are one', () => {
  const spread = Array.from({ length: 10 }, (_, index) => runs('probe', String(100 + index), 1000, 1));
  const ofUser = causeOf(spread, new Map([['probe', 1]]))!;
  assert.deepEqual(ofUser.user, { uid: 1000, share: 1 });
  assert.ok(ofUser.cgroup.share < 0.11, String(ofUser.cgroup.share));
  const within = Array.from({ length: 10 }, (_, index) => runs('probe', '100', 1000 + index, 1));
  assert.deepEqual(causeOf(within, new Map([['probe', 1]]))?.cgroup, { id: '100', share: 1 });
});

test('where nothing ran, or what ran is not known to cost anything, there is none', () => {
  assert.equal(causeOf([], new Map([['probe', 1]])), undefined);
  assert.equal(causeOf([runs('other', '1', 0, 5)], new Map([['probe', 1]])), undefined);
});
