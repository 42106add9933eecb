import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countText, durationText, groupedText, listText } from '../../src/text/wording.js';

for (const [nanoseconds, text] of [
  [0, 'less than 0.1 ms'],
  [90_000, 'less than 0.1 ms'],
  [100_000, '0.1 ms'],
  [9_940_000, '9.9 ms'],
  [9_960_000, '10 ms'],
  [180e6, '180 ms'],
  [999.4e6, '999 ms'],
  [999.6e6, '1 s'],
  [3.24e9, '3.2 s'],
  [9.96e9, '10 s'],
  [119.4e9, '119 s'],
  [119.6e9, '2 min'],
  [270e9, '4.5 min'],
] as const)
  test(`${nanoseconds} ns are ${text}`, () => assert.equal(durationText(nanoseconds), text));

test('digits are in groups, decimals are not', () => {
  assert.deepEqual(
    [0, 999, 1000, 123_456, 1_234_567, -1234].map((amount) => groupedText(amount)),
    ['0', '999', '1,000', '123,456', '1,234,567', '-1,234'],
  );
  assert.deepEqual(
    [0.0005, 0.0055, 1.5, 1234.5678, 999.9996].map((amount) => groupedText(amount, 3)),
    ['0.001', '0.006', '1.500', '1,234.568', '1,000.000'],
  );
});

test('a list is told in words', () => {
  assert.deepEqual(
    [[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map((items) => listText(items)),
    ['', 'a', 'a and b', 'a, b and c'],
  );
});

test('a count with its noun', () => {
  assert.deepEqual(
    [countText(0, 'wait'), countText(1, 'wait'), countText(1234, 'wait')],
    ['0 waits', '1 wait', '1,234 waits'],
  );
  assert.deepEqual([countText(1, 'process'), countText(2, 'process')], ['1 process', '2 processes']);
});
