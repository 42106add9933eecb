import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdRows } from '../../../src/bpftrace/records/holds.js';
import { rows } from '../map-rows.js';

test('holds are told by file; one whose reader is gone has none', () => {
  assert.deepEqual(holdRows(rows([[2], 3], [[0], 1]), rows([[2], 300n], [[0], 5])), [
    { file: 'smaps', count: 3, nanoseconds: 300 },
  ]);
});
