import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationSeconds } from '../../src/cli/duration.js';

const table: [string, number | undefined][] = [
  ['1s', 1],
  ['30s', 30],
  ['5m', 300],
  ['60m', 3600],
  ['1h', 3600],
  ['3600s', 3600],
  ['3601s', undefined],
  ['2h', undefined],
  ['0s', undefined],
  ['30', undefined],
  ['1.5m', undefined],
  ['-5s', undefined],
  ['5 s', undefined],
  ['5sec', undefined],
  ['1d', undefined],
  ['99999s', undefined],
  ['', undefined],
];

for (const [text, expected] of table)
  test(`"${text}" is ${expected === undefined ? 'refused' : `${expected} s`}`, () =>
    assert.equal(durationSeconds(text), expected));
