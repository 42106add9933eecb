/** Where the seconds of a guest go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModule } from '../support/modules.js';

interface Moment {
  readonly seconds: number;
  readonly waited: number;
}

const { createParts, partLines, waitedForCpu } = loadModule('test/kernels/parts.mjs') as {
  createParts: () => {
    enter: (part: string, at: Moment) => void;
    totals: () => ({ part: string } & Moment)[];
  };
  partLines: (totals: readonly ({ part: string } & Moment)[]) => string[];
  waitedForCpu: (threads: readonly string[]) => number;
};

test('every second is of one part, and a part that comes again adds up', () => {
  const parts = createParts();
  parts.enter('load', { seconds: 10, waited: 1 });
  parts.enter('settling', { seconds: 12, waited: 1.5 });
  parts.enter('load', { seconds: 15, waited: 2 });
  parts.enter('end', { seconds: 20, waited: 4 });
  assert.deepEqual(parts.totals(), [
    { part: 'boot', seconds: 10, waited: 1 },
    { part: 'load', seconds: 7, waited: 2.5 },
    { part: 'settling', seconds: 3, waited: 0.5 },
  ]);
});

test('the last line is the sum', () => {
  const lines = partLines([
    { part: 'boot', seconds: 10.4, waited: 1 },
    { part: 'load', seconds: 100.3, waited: 20 },
  ]);
  assert.deepEqual(lines, [
    '  boot    10 s,   1 s of them without a CPU',
    '  load   100 s,  20 s of them without a CPU',
    '  all    111 s,  21 s of them without a CPU',
  ]);
});

test('what the busiest thread of an emulator waited for a CPU, in seconds', () => {
  assert.equal(waitedForCpu(['5000000000 9000000000 10\n', '40000000000 2500000000 99\n']), 2.5);
  assert.equal(waitedForCpu([]), 0);
});
