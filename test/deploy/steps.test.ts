/** How .ci/run and `npm run test:all` judge what they run, and what is kept of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModule } from '../support/modules.js';

interface Result {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly retried: number;
  readonly failures: readonly string[];
}

const { resultOf } = loadModule('deploy/bootstrap/tests/steps.mjs') as {
  resultOf: (
    step: { readonly name: string; readonly isOneTest?: boolean },
    ran: { readonly status: number | string; readonly output: string },
  ) => Result;
};

const judged = (status: number | string, output: string, isOneTest = false): Result =>
  resultOf({ name: 'a-suite', isOneTest }, { status, output });
const figures = ({ passed, failed, skipped, retried }: Result) => [passed, failed, skipped, retried];

test('a suite is judged by its last totals, and its failures are named', () => {
  const lines = ['unit: 1 passed, 0 failed, 0 skipped', 'failed: unit a.js: no', 'retried: 2'];
  const ran = judged(1, [...lines, '3 passed, 1 failed, 2 skipped', ''].join('\n'));
  assert.deepEqual(figures(ran), [3, 1, 2, 2]);
  assert.deepEqual(ran.failures, ['a-suite: failed: unit a.js: no']);
});

test('a suite that ran no test has failed, and so has one that died after its totals', () => {
  const silent = judged(0, '');
  assert.deepEqual([figures(silent), silent.failures], [[0, 1, 0, 0], ['a-suite: it ran no test']]);
  assert.deepEqual(figures(judged(0, '0 passed, 0 failed, 4 skipped\n')), [0, 1, 4, 0]);
  const died = judged('SIGKILL', '5 passed, 0 failed, 0 skipped\n');
  assert.deepEqual([figures(died), died.failures], [[5, 1, 0, 0], ['a-suite: it ended with SIGKILL']]);
});

test('a command without totals is one test', () => {
  assert.deepEqual(figures(judged(0, '', true)), [1, 0, 0, 0]);
  const failed = judged(3, '', true);
  assert.deepEqual([figures(failed), failed.failures], [[0, 1, 0, 0], ['a-suite: it ended with 3']]);
});

test('what a suite runs decides whether its last result still holds', () => {
  const { hashOfTree } = loadModule('deploy/bootstrap/tests/all-results.mjs') as {
    hashOfTree: (paths: readonly string[]) => string;
  };
  assert.match(hashOfTree(['bpf', 'tsconfig.json']), /^[0-9a-f]{12}$/);
  assert.equal(hashOfTree(['bpf', 'src']), hashOfTree(['bpf', 'src']));
  assert.notEqual(hashOfTree(['bpf']), hashOfTree(['src']));
  // Its own table, which each suite's end rewrites, must not undo what has just been found.
  assert.equal(hashOfTree(['test/all.md', 'tsconfig.json']), hashOfTree(['tsconfig.json']));
});
