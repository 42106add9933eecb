import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { mayWaitForLock } from '../../src/identity/waiting-thread.js';

/** A /proc with one thread in a state. */
const procWith = (state: string, name = 'mysqld'): string => {
  const root = mkdtempSync(path.join(tmpdir(), 'proc-'));
  mkdirSync(path.join(root, '42/task/43'), { recursive: true });
  writeFileSync(path.join(root, '42/task/43/stat'), `43 (${name}) ${state} 1 42 42 0 -1 4194560 0\n`);
  return root;
};

test('who sleeps uninterruptibly, or has just been woken, may wait for a lock; who sleeps otherwise does not', (t) => {
  for (const [state, may] of Object.entries({
    D: true,
    R: true,
    S: false,
    T: false,
    t: false,
    Z: false,
    X: false,
  })) {
    const root = procWith(state);
    t.after(() => rmSync(root, { recursive: true }));
    assert.equal(mayWaitForLock(42, 43, root), may, state);
  }
});

test('a name that looks like a state is none', (t) => {
  const root = procWith('S', 'a) D 1 (b');
  t.after(() => rmSync(root, { recursive: true }));
  assert.equal(mayWaitForLock(42, 43, root), false);
});

test('a thread that is gone waits for nothing, nor does one that sleeps', async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const pid = child.pid as number;
  while (mayWaitForLock(pid, pid)) await new Promise((resolve) => setTimeout(resolve, 10));
  child.kill();
  await once(child, 'close');
  assert.equal(mayWaitForLock(pid, pid), false);
});
