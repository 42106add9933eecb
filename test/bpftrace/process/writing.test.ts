import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { isWriting, onceItDoesNotWrite } from '../../../src/bpftrace/process/writing.js';

const readable = (): boolean => {
  try {
    readFileSync('/proc/self/syscall');
    return true;
  } catch {
    return false;
  }
};
const skip = !readable() && '/proc/PID/syscall cannot be read here';

test('a process whose pipe nobody reads waits to write, until somebody does', {
  skip,
  timeout: 60_000,
}, async (t) => {
  const child = spawn('sh', ['-c', 'head -c 4000000 /dev/zero; exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const lastOf = (): number =>
    Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'latin1'));
  while (!Number.isInteger(lastOf()) || lastOf() === 0 || !isWriting(lastOf())) await pause(10);
  let called = false;
  onceItDoesNotWrite(lastOf(), () => {
    called = true;
  });
  assert.equal(called, false);
  child.stdout.resume();
  while (!called) await pause(5);
});

test('one that sleeps, or is gone, does not write', { skip }, async (t) => {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  assert.equal(isWriting(child.pid as number), false);
  assert.equal(isWriting(2 ** 30), false);
  let called = 0;
  for (const pid of [child.pid, undefined]) onceItDoesNotWrite(pid, () => (called += 1));
  assert.equal(called, 2);
});
