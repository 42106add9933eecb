import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  convoyWaits,
  victimBlockedRows,
  victimConvoyRows,
  writersBlockedRows,
} from '../../../src/bpftrace/records/convoys.js';
import { rows, words } from '../map-rows.js';

test('convoys are one total; 0 where the maps are empty', () => {
  assert.deepEqual(convoyWaits(rows([[0], 3]), rows([[0], 300])), { count: 3, nanoseconds: 300 });
  assert.deepEqual(convoyWaits([], []), { count: 0, nanoseconds: 0 });
});

test('a victim is its name and its cgroup', () => {
  const db = words('postgres');
  assert.deepEqual(victimConvoyRows(rows([[...db, 7], 3]), rows([[...db, 7], 300], [[...db, 8], 20])), [
    { name: 'postgres', cgroupId: '7', count: 3, nanoseconds: 300 },
    { name: 'postgres', cgroupId: '8', count: 0, nanoseconds: 20 },
  ]);
});

test('wall time is told by file', () => {
  assert.deepEqual(writersBlockedRows(rows([[2], 5n], [[3], 7])), [
    { file: 'smaps', nanoseconds: 5 },
    { file: 'smaps_rollup', nanoseconds: 7 },
  ]);
});

test('wall time of a victim is told by its name, as labels show it, and its cgroup', () => {
  assert.deepEqual(victimBlockedRows(rows([[...words('~db'), 7], 5n], [[...words('~db'), 8], 6])), [
    { name: '\\x7edb', cgroupId: '7', nanoseconds: 5 },
    { name: '\\x7edb', cgroupId: '8', nanoseconds: 6 },
  ]);
});
