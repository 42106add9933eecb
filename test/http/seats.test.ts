import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Seats } from '../../src/http/seats.js';

test('no source takes more than its part, and all together no more than there are', () => {
  const seats = new Seats({ ofAll: 4, ofOne: 2 });
  assert.deepEqual(
    ['a', 'a', 'a', 'b', 'c', 'd'].map((source) => seats.take(source)),
    [true, true, false, true, true, false],
  );
});

test('a seat that was left can be taken again, by anybody', () => {
  const seats = new Seats({ ofAll: 2, ofOne: 1 });
  assert.equal(seats.take('a'), true);
  assert.equal(seats.take('a'), false);
  seats.leave('a');
  assert.equal(seats.take('a'), true);
  assert.equal(seats.take('b'), true);
  seats.leave('b');
  assert.equal(seats.take('c'), true);
});

test('scarce from three quarters on', () => {
  const seats = new Seats({ ofAll: 4, ofOne: 4 });
  const scarce = ['a', 'b', 'c'].map((source) => {
    seats.take(source);
    return seats.scarce;
  });
  assert.deepEqual(scarce, [false, false, true]);
  seats.leave('a');
  assert.equal(seats.scarce, false);
});
