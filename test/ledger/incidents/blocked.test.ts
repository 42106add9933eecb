import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockedTime } from '../../../src/ledger/incidents/blocked.js';

const t0 = Date.parse('2026-06-01T12:00:00Z');
const ms = 1e6;

test('a window counts as far as it tells more than the waits within it', () => {
  const blocked = new BlockedTime(t0);
  blocked.addWait(t0 + 9000, 500 * ms);
  blocked.addWait(t0 + 9200, 500 * ms);
  assert.equal(blocked.addWindow(t0 + 10_000, 10_000 * ms, 2000 * ms).nanoseconds, 1300 * ms);
  assert.equal(blocked.nanoseconds, 2000 * ms);
  assert.equal(blocked.addWindow(t0 + 10_000, 10_000 * ms, 1500 * ms).nanoseconds, 0, 'all of it is known');
  assert.equal(blocked.nanoseconds, 2000 * ms);
});

test('of an earlier window as much may be the same as the two have in common, and no more', () => {
  const blocked = new BlockedTime(t0);
  blocked.addWindow(t0 + 10_000, 10_000 * ms, 3000 * ms);
  // Records come a little late, and never equally late.
  assert.equal(blocked.addWindow(t0 + 19_990, 10_000 * ms, 2500 * ms).nanoseconds, 2490 * ms);
  assert.equal(blocked.addWindow(t0 + 20_990, 10_000 * ms, 3000 * ms).nanoseconds, 510 * ms);
});

test('waits too many to keep apart are still known when a window tells of them', () => {
  const blocked = new BlockedTime(t0);
  for (let index = 1; index <= 3000; index += 1) blocked.addWait(t0 + index * 20, 10 * ms);
  assert.equal(blocked.nanoseconds, 30_000 * ms);
  assert.equal(blocked.addWindow(t0 + 60_000, 60_000 * ms, 30_400 * ms).nanoseconds, 400 * ms);
});

test('a wait within a window that is told after it is taken off, until the window is closed', () => {
  const blocked = new BlockedTime(t0);
  const window = blocked.addWindow(t0 + 10_000, 10_000 * ms, 2000 * ms);
  blocked.addWait(t0 + 9000, 500 * ms);
  blocked.addWait(t0 + 9100, 500 * ms);
  assert.deepEqual([window.nanoseconds, blocked.nanoseconds], [1400 * ms, 2000 * ms]);
  blocked.addWait(t0 + 8000, 3000 * ms);
  assert.deepEqual(
    [window.nanoseconds, blocked.nanoseconds],
    [0, 3600 * ms],
    'longer than all that was told',
  );
  const next = blocked.addWindow(t0 + 20_000, 10_000 * ms, 2000 * ms);
  next.close();
  blocked.addWait(t0 + 15_000, 500 * ms);
  assert.equal(next.nanoseconds, 2000 * ms);
});
