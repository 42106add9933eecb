import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  blockDurations,
  blockRows,
  readerBlockRows,
  unblockedRows,
} from '../../../src/bpftrace/records/blocks.js';
import { read, rows, words, write } from '../map-rows.js';

test('blocks are told by file; 0 is where no reader can be shown', () => {
  assert.deepEqual(blockRows(rows([[2], 3], [[0], 1]), rows([[2], 300], [[0], 100])), [
    { file: 'smaps', count: 3, nanoseconds: 300 },
    { file: undefined, count: 1, nanoseconds: 100 },
  ]);
});

test('durations are told by file', () => {
  const buckets = [{ floorMicroseconds: 16, count: 1 }];
  assert.deepEqual(
    blockDurations([
      { key: [2n], value: buckets },
      { key: [0n], value: [] },
    ]),
    [
      { file: 'smaps', buckets },
      { file: undefined, buckets: [] },
    ],
  );
});

test('who made whom wait: reader and victim by name and cgroup', () => {
  const [agent, db] = [words('agent'), words('postgres')];
  const counts = rows([[...agent, 7, ...db, 8, 2], 3], [[0, 0, 0, ...db, 8, 0], 1]);
  const nanoseconds = rows([[...agent, 7, ...db, 8, 2], 300], [[...db, 8, ...agent, 7, 1], 20]);
  const [reader, victim] = [
    { name: 'agent', cgroupId: '7' },
    { name: 'postgres', cgroupId: '8' },
  ];
  assert.deepEqual(readerBlockRows(counts, nanoseconds), [
    { file: 'smaps', reader, victim, count: 3, nanoseconds: 300 },
    { file: undefined, reader: undefined, victim, count: 1, nanoseconds: 0 },
    { file: 'maps', reader: victim, victim: reader, count: 0, nanoseconds: 20 },
  ]);
});

test('a reader without a name is a reader', () => {
  const [row] = readerBlockRows(rows([[0, 0, 7, ...words('db'), 8, 2], 1]), []);
  assert.deepEqual(row?.reader, { name: '\\x00', cgroupId: '7' });
});

test('waits behind no reader are told by mode', () => {
  assert.deepEqual(unblockedRows(rows([[read], 1], [[write], 2]), rows([[read], 10], [[write], 20])), [
    { mode: 'read', count: 1, nanoseconds: 10 },
    { mode: 'write', count: 2, nanoseconds: 20 },
  ]);
});
