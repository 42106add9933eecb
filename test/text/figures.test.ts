import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cell, seconds, someSeconds, table } from '../../src/text/figures.js';

test('a table: words to the left, numbers to the right, as wide as their widest', () => {
  assert.deepEqual(
    table(['name', 'file', 'reads'], 2, [
      ['cat', 'maps', '1,234,567'],
      ['node-agent', 'smaps_rollup', '-'],
    ]),
    [
      '  name        file              reads',
      '  cat         maps          1,234,567',
      '  node-agent  smaps_rollup          -',
    ],
  );
});

test('what is not known is no 0', () => {
  assert.deepEqual([cell(null), cell(undefined), cell(0), cell(1234)], ['-', '-', '0', '1,234']);
  assert.deepEqual([cell(null, seconds), cell(1_500_000, seconds)], ['-', '0.002']);
});

test('a little is not nothing', () => {
  assert.deepEqual([0, 1, 499_999, 500_000].map(someSeconds), ['0.000', '<0.001', '<0.001', '0.001']);
});
