import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { type OwnFile, ownPosition, readOwnFiles } from '../../src/kernel/own-files.js';
import { ownFiles } from '../../src/probes/findings.js';

/** A clock that goes on by so many milliseconds whenever it is asked. */
const clock = (step: number) => {
  let now = 0;
  return () => {
    now += step;
    return now;
  };
};

const content = (...names: readonly string[]): OwnFile[] => names.map((name) => ({ name, way: 'read' }));
const counts = (...args: Parameters<typeof readOwnFiles>) =>
  readOwnFiles(...args).map(({ name, calls, reads }) => [name, calls, reads]);

test('many reads of what is quick, a few of what takes long', () => {
  assert.deepEqual(counts(content('maps', 'status'), clock(0.01)), [
    ['maps', 64, 64],
    ['status', 64, 64],
  ]);
  assert.deepEqual(counts(content('maps'), clock(100)), [['maps', 8, 8]]);
});

test('a file that is not there is left out; one that is empty or cannot be read was called once', () => {
  assert.deepEqual(counts(content('no_such_file', 'task', 'maps'), clock(0.01)), [
    ['task', 1, 0],
    ['maps', 64, 64],
  ]);
});

test('each file has a descriptor of its own, also what is only opened, and none is left open', () => {
  const opened = readOwnFiles(ownFiles, clock(0.01));
  assert.equal(new Set(opened.map(({ descriptor }) => descriptor)).size, opened.length);
  for (const { name } of ownFiles.filter(({ way }) => way !== 'read'))
    assert.deepEqual(
      opened.filter((file) => file.name === name).map(({ calls, reads }) => [calls, reads]),
      [[1, 0]],
      name,
    );
  for (const { name, descriptor } of opened)
    assert.throws(() => assert.match(readlinkSync(`/proc/self/fd/${descriptor}`), new RegExp(`/${name}$`)));
});

test('where it introduces itself no file ends, and a Number holds it exactly', () => {
  assert.ok(Number.isSafeInteger(ownPosition) && ownPosition > 2 ** 50);
});
