import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTime, timeLine } from '../src/clock.js';

const start = Date.UTC(2025, 5, 1, 12);
const day = 86_400_000;

const lineFrom = () => {
  let [ahead, passed] = [start, 0];
  const line = timeLine(
    () => passed + ahead,
    () => passed,
  );
  return {
    ...line,
    pass: (milliseconds: number) => {
      passed += milliseconds;
    },
    set: (milliseconds: number) => {
      ahead += milliseconds;
    },
  };
};

test('it begins at the time of day, and goes on as the clock that nobody sets', () => {
  const line = lineFrom();
  assert.equal(line.now(), start);
  line.pass(1000.4);
  assert.equal(line.now(), start + 1000);
  assert.equal(isoTime(line, line.now()), '2025-06-01T12:00:01.000Z');
});

for (const days of [400, -400])
  test(`a time of day that is set by ${days} days, and back, moves what is shown and nothing else`, () => {
    const line = lineFrom();
    const before = line.now();
    line.pass(5000);
    line.set(days * day);
    assert.equal(line.now(), start + 5000);
    assert.equal(line.timeOfDay(line.now()), start + 5000 + days * day);
    assert.equal(line.timeOfDay(before), start + days * day, 'what was 5 s ago is 5 s ago');
    assert.equal(line.atTimeOfDay(start + days * day), before);
    line.pass(5000);
    line.set(-days * day);
    assert.equal(line.now(), start + 10_000);
    assert.equal(line.timeOfDay(before), start);
    assert.equal(line.atTimeOfDay(start), before);
  });

test('a process that stood still while it read both clocks has learnt nothing of them', () => {
  let [passed, stands] = [0, 0];
  const line = timeLine(
    () => {
      const read = start + passed;
      passed += stands;
      return read;
    },
    () => passed,
  );
  stands = 250;
  assert.equal(line.timeOfDay(start), start);
  stands = 0;
  assert.equal(line.timeOfDay(start), start);
});

test('a time that is shown twice is the same, though the rates of two clocks are not', () => {
  const line = lineFrom();
  const at = line.now();
  line.set(60);
  assert.equal(line.timeOfDay(at), start);
  line.set(60);
  assert.equal(line.timeOfDay(at), start + 120, 'before it is a tenth of a second off');
});
