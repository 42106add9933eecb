import assert from 'node:assert/strict';
import { test } from 'node:test';
import { victimVmaWaitRows, vmaWaits } from '../../../src/bpftrace/records/vma-waits.js';
import { rows, words } from '../map-rows.js';

test('VMA waits are one total; 0 where the maps are empty', () => {
  assert.deepEqual(vmaWaits(rows([[0], 3]), rows([[0], 4_500_000_000_000n])), {
    count: 3,
    nanoseconds: 4_500_000_000_000,
  });
  assert.deepEqual(vmaWaits(rows([[0], 1]), []), { count: 1, nanoseconds: 0 });
  assert.deepEqual(vmaWaits([], []), { count: 0, nanoseconds: 0 });
});

test('a victim is its name and its cgroup; one left out of one map is there by the other', () => {
  const [db, jvm] = [words('postgres'), words('jvm')];
  const counts = rows([[...db, 7], 3], [[...db, 8], 1]);
  const nanoseconds = rows([[...db, 7], 300], [[...jvm, 7], 20]);
  assert.deepEqual(victimVmaWaitRows(counts, nanoseconds), [
    { name: 'postgres', cgroupId: '7', count: 3, nanoseconds: 300 },
    { name: 'postgres', cgroupId: '8', count: 1, nanoseconds: 0 },
    { name: 'jvm', cgroupId: '7', count: 0, nanoseconds: 20 },
  ]);
});
