import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namesByTick } from '../../src/identity/names-by-tick.js';

test('a name is read once between two ticks, also that there is none', () => {
  let [at, reads] = [1, 0];
  const names = new Map([[7, 'seven']]);
  const nameOf = namesByTick(
    () => at,
    (pid) => {
      reads += 1;
      return names.get(pid);
    },
  );
  assert.deepEqual([nameOf(7), nameOf(7), nameOf(8), nameOf(8)], ['seven', 'seven', undefined, undefined]);
  assert.equal(reads, 2);
  names.set(8, 'eight');
  at = 2;
  assert.deepEqual([nameOf(7), nameOf(8), reads], ['seven', 'eight', 4]);
});

test('it remembers no more than some thousands', () => {
  const nameOf = namesByTick(() => 1, String);
  const before = process.memoryUsage().heapUsed;
  for (let pid = 0; pid < 1_000_000; pid += 1) nameOf(pid);
  assert.ok(process.memoryUsage().heapUsed - before < 64 * 2 ** 20);
});
