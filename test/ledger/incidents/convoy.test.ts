import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from '../../../src/ledger/ledger.js';
import { stall, tick } from '../../support/records.js';

const t0 = Date.parse('2026-06-01T12:00:00Z');
const ms = 1e6;

const started = (): Ledger => {
  const ledger = new Ledger({ waits: { slots: 5, rowLimit: 500, label: (name) => name } });
  ledger.apply({ kind: 'tracer_started', at: t0 });
  return ledger;
};
/** A tick with convoys of mysqld so far. */
const convoys = (at: number, count: number, more: { name?: string; cgroupId?: string } = {}) =>
  tick(at, {
    convoys: { count, nanoseconds: count * ms },
    victimConvoys: [{ name: 'mysqld', cgroupId: '4711', count, nanoseconds: count * ms, ...more }],
  });
const told = (count: number) => ({ convoy: { count, nanoseconds: count * ms, longestQueue: count } });
const convoyOf = (ledger: Ledger, index = 0) => ledger.incidents.list()[index]?.convoy;

test('what queued behind waits that nobody told is in the convoy, what was told only once', () => {
  const ledger = started();
  ledger.apply(convoys(t0 + 1000, 100));
  ledger.apply(stall(t0 + 1500, 60 * ms, told(4)));
  assert.deepEqual(convoyOf(ledger), { count: 4, nanoseconds: 4 * ms, longestQueue: 4 });
  ledger.apply(convoys(t0 + 2000, 110));
  assert.deepEqual(convoyOf(ledger), { count: 10, nanoseconds: 10 * ms, longestQueue: 4 });
  ledger.apply(stall(t0 + 2500, 60 * ms, told(9)));
  ledger.apply(convoys(t0 + 3000, 130));
  assert.deepEqual(convoyOf(ledger), { count: 30, nanoseconds: 30 * ms, longestQueue: 9 });
});

test('where stalls told more than ticks do, that counts', () => {
  const ledger = started();
  ledger.apply(stall(t0 + 500, 60 * ms, told(7)));
  ledger.apply(tick(t0 + 1000));
  assert.equal(convoyOf(ledger)?.count, 7);
});

test('convoys of another name or cgroup are not those of this victim', () => {
  const ledger = started();
  ledger.apply(stall(t0 + 500, 60 * ms));
  ledger.apply(convoys(t0 + 1000, 5, { name: 'redis' }));
  ledger.apply(convoys(t0 + 2000, 9, { cgroupId: '9' }));
  assert.equal(convoyOf(ledger)?.count, 0);
});

test('many short waits: the convoys of their whole time, which was before', () => {
  const ledger = started();
  for (let second = 1; second <= 10; second += 1) ledger.apply(convoys(t0 + second * 1000, second));
  const blockedInWindow = { nanoseconds: 2000 * ms, windowNanoseconds: 4000 * ms };
  ledger.apply(stall(t0 + 10_000, 4 * ms, { cause: 'share', blockedInWindow }));
  ledger.apply(convoys(t0 + 11_000, 12));
  assert.equal(convoyOf(ledger)?.count, 4 + 2);
});

test('a new tracer counts from zero', () => {
  const ledger = started();
  ledger.apply(stall(t0 + 500, 60 * ms));
  ledger.apply(convoys(t0 + 1000, 50));
  ledger.apply({ kind: 'tracer_stopped', at: t0 + 1500, reason: 'killed', handedOver: false });
  ledger.apply({ kind: 'tracer_started', at: t0 + 2500 });
  ledger.apply(convoys(t0 + 2500, 8));
  assert.equal(convoyOf(ledger)?.count, 58);
});

test('after it was closed, nothing is added, and the next incident does not get what this one had', () => {
  const ledger = started();
  ledger.apply(stall(t0 + 500, 60 * ms));
  for (let second = 1; second <= 12; second += 1) ledger.apply(convoys(t0 + second * 1000, second));
  const { closedAt, convoy } = ledger.incidents.list()[0]!;
  assert.equal(closedAt, t0 + 11_000);
  assert.equal(convoy.count, 11);
  const blockedInWindow = { nanoseconds: 2000 * ms, windowNanoseconds: 10_000 * ms };
  ledger.apply(stall(t0 + 12_000, 4 * ms, { cause: 'share', blockedInWindow }));
  ledger.apply(convoys(t0 + 13_000, 13));
  assert.equal(convoyOf(ledger, 1)?.count, 2);
});

test('two processes of one name with incidents: each has what stalls told, for nobody knows the rest', () => {
  const ledger = started();
  const of = (pid: number) => ({ victim: { name: 'mysqld', cgroupId: '4711', pid, tid: pid } });
  ledger.apply(stall(t0 + 500, 60 * ms, { ...of(1), ...told(3) }));
  ledger.apply(stall(t0 + 600, 60 * ms, of(2)));
  ledger.apply(convoys(t0 + 1000, 40));
  assert.deepEqual([convoyOf(ledger, 0)?.count, convoyOf(ledger, 1)?.count], [3, 0]);
});
