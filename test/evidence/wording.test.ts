import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationText } from '../../src/evidence/wording.js';

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
