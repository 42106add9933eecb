import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOwnFiles } from '../../src/kernel/own-reads.js';

/** A clock that goes on by so many milliseconds whenever it is asked. */
const clock = (step: number) => {
  let now = 0;
  return () => {
    now += step;
    return now;
  };
};

test('many reads of what is quick, a few of what takes long', () => {
  assert.deepEqual(
    [...readOwnFiles(['maps', 'status'], clock(0.01))],
    [
      ['maps', 64],
      ['status', 64],
    ],
  );
  assert.deepEqual([...readOwnFiles(['maps'], clock(100))], [['maps', 8]]);
});

test('files that are not there, or are empty, or cannot be read, are left out or counted as unread', () => {
  const reads = readOwnFiles(['no_such_file', 'task', 'maps'], clock(0.01));
  assert.deepEqual([...reads], [['maps', 64]]);
});
