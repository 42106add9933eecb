import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { exitOf } from '../../../src/bpftrace/process/exiting.js';

const root = mkdtempSync(path.join(tmpdir(), 'mmaplockd-exiting-'));
after(() => rmSync(root, { recursive: true }));

/** /proc/7/stat with these flags and this exit code, under a name that could be taken for fields. */
const statOf = (flags: number, exitCode: number): void => {
  mkdirSync(path.join(root, '7'), { recursive: true });
  const fields = Array.from({ length: 50 }, () => '0');
  fields[0] = 'S';
  fields[9 - 3] = String(flags);
  fields[52 - 3] = String(exitCode);
  writeFileSync(path.join(root, '7/stat'), `7 (x) Z 4 4 (y) ${fields.join(' ')}\n`);
};

test('a process that ends tells how, by its exit code or its signal', () => {
  statOf(0x400040, 0);
  assert.equal(exitOf(7, root), undefined, 'it runs');
  statOf(0x400044, 9);
  assert.deepEqual(exitOf(7, root), { exitCode: undefined, signal: 'SIGKILL' });
  statOf(0x400044, 11 | 0x80);
  assert.deepEqual(exitOf(7, root), { exitCode: undefined, signal: 'SIGSEGV' }, 'with a core file');
  statOf(0x400044, 3 << 8);
  assert.deepEqual(exitOf(7, root), { exitCode: 3, signal: undefined });
  statOf(0x400044, 0);
  assert.deepEqual(exitOf(7, root), { exitCode: 0, signal: undefined });
  assert.equal(exitOf(8, root), undefined, 'it is gone');
});

test('the kernel says so of a process that was killed and is not yet reaped', async () => {
  // The shell does not wait for what it started, and becomes a sleep that never does.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  assert.equal(exitOf(pid), undefined);
  process.kill(pid, 'SIGKILL');
  const deadline = Date.now() + 60_000;
  let exit = exitOf(pid);
  while (exit === undefined && Date.now() < deadline) {
    await new Promise((resolve) => setImmediate(resolve));
    exit = exitOf(pid);
  }
  parent.kill('SIGKILL');
  assert.deepEqual(exit, { exitCode: undefined, signal: 'SIGKILL' });
});
