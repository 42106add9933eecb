import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseStat } from '../../src/identity/process.js';
import { WaitingThreads } from '../../src/identity/waiting-thread.js';

/** A /proc with the thread 43 of the process 42, whose state and time in user mode (in ticks) can be set. */
const procOf = (t: TestContext) => {
  const root = mkdtempSync(path.join(tmpdir(), 'proc-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(path.join(root, '42/task/43'), { recursive: true });
  return {
    root,
    set: (state: string, user = 0, name = 'mysqld') =>
      writeFileSync(
        path.join(root, '42/task/43/stat'),
        `43 (${name}) ${state} 1 42 42 0 -1 4194560 100 0 0 0 ${user} 7 0 0 20 0 8 0 114634 0 0\n`,
      ),
  };
};

const waitOf = (seconds: number, tid = 43, pid = 42) => ({ pid, tid, seconds });

test('who sleeps uninterruptibly, or has just been woken, may wait for a lock; who sleeps otherwise does not', (t) => {
  const { root, set } = procOf(t);
  for (const [state, may] of Object.entries({
    D: true,
    R: true,
    S: false,
    T: false,
    t: false,
    Z: false,
    X: false,
  })) {
    set(state);
    const wait = waitOf(1);
    assert.deepEqual(new WaitingThreads(root).among([wait]), may ? [wait] : [], state);
  }
});

test('a name that looks like a state is none', (t) => {
  const { root, set } = procOf(t);
  set('S', 0, 'a) D 1 (b');
  assert.deepEqual(new WaitingThreads(root).among([waitOf(1)]), []);
});

test('who was in user mode since its wait was first looked at does not wait, whatever its state', (t) => {
  for (const state of ['R', 'D']) {
    const { root, set } = procOf(t);
    const threads = new WaitingThreads(root);
    set('R', 500);
    assert.equal(threads.among([waitOf(1)]).length, 1, 'it cannot be told yet');
    set(state, 580);
    assert.deepEqual(threads.among([waitOf(2)]), [], state);
    set('R', 580);
    assert.deepEqual(threads.among([waitOf(3)]), [], 'nor does it wait when it has no CPU for a while');
  }
});

test('who is woken again and again in its wait still waits', (t) => {
  const { root, set } = procOf(t);
  const threads = new WaitingThreads(root);
  for (let second = 1; second < 60; second += 1) {
    // The kernel divides what a thread ran by what its timer saw: one tick may be laid at the wrong door.
    set(second % 2 === 0 ? 'R' : 'D', second > 30 ? 501 : 500);
    assert.equal(threads.among([waitOf(second)]).length, 1);
  }
});

test('a thread whose lost wait is known to be none may wait again', (t) => {
  const { root, set } = procOf(t);
  const threads = new WaitingThreads(root);
  set('R', 500);
  threads.among([waitOf(10)]);
  set('R', 600);
  assert.deepEqual(threads.among([waitOf(11)]), []);
  set('D', 600);
  assert.equal(threads.among([waitOf(0.5)]).length, 1, 'another wait, too short to be looked at');
  assert.equal(threads.among([waitOf(1.5)]).length, 1);
  assert.equal(threads.among([waitOf(2.5)]).length, 1);
  set('R', 700);
  assert.deepEqual(threads.among([waitOf(3.5)]), []);
  set('D', 700);
  assert.equal(threads.among([waitOf(2)]).length, 1, 'another, seen late');
});

test('what is short is not looked at, and a thread that is gone waits for nothing', (t) => {
  const { root } = procOf(t);
  const threads = new WaitingThreads(root);
  const short = waitOf(0.9);
  assert.deepEqual(threads.among([short, waitOf(1)]), [short]);
});

/** Time of a process in user mode and in the kernel, in ticks, and its state. */
const timesOf = (pid: number): { user: number; kernel: number; state: string | undefined } => {
  const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return { user: Number(stat[14]), kernel: Number(stat[15]), state: stat[3] };
};

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await sleep(5);
};

const started = async (t: TestContext, command: string, args: readonly string[]): Promise<number> => {
  const child: ChildProcess = spawn(command, args, { stdio: 'ignore' });
  t.after(async () => {
    child.kill('SIGKILL');
    await once(child, 'close');
  });
  await once(child, 'spawn');
  return child.pid as number;
};

test('of real threads that run, one in user mode does not wait, one in the kernel may', async (t) => {
  const busy = await started(t, 'sh', ['-c', 'while :; do :; done']);
  const inKernel = await started(t, 'dd', ['if=/dev/zero', 'of=/dev/null', 'bs=64M']);
  await until(() => timesOf(busy).user > 0 && timesOf(inKernel).kernel > 5);
  const threads = new WaitingThreads();
  const waits = (seconds: number) => [waitOf(seconds, busy, busy), waitOf(seconds, inKernel, inKernel)];
  assert.equal(threads.among(waits(1)).length, 2);
  const before = [timesOf(busy), timesOf(inKernel)] as const;
  await until(
    () => timesOf(busy).user > before[0].user + 5 && timesOf(inKernel).kernel > before[1].kernel + 5,
  );
  assert.deepEqual(
    threads.among(waits(2)).map(({ pid }) => pid),
    [inKernel],
  );
});

test('a real thread that sleeps does not wait', async (t) => {
  const pid = await started(t, 'sleep', ['60']);
  await until(() => timesOf(pid).state === 'S');
  assert.deepEqual(new WaitingThreads().among([waitOf(1, pid, pid)]), []);
});
