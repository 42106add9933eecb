import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseStat, readProcess } from '../../src/identity/process.js';

const root = mkdtempSync(join(tmpdir(), 'mmaplock-proc-'));
after(() => rmSync(root, { recursive: true }));

const stat = (name: string): string =>
  `77 (${name}) S 4242 77 77 0 -1 4194560 9839 0 45 0 15 27 0 0 25 5 3 0 149307 230469632 22594 18446744073709551615 1 1 0 0 0 0 0 4 16898 1 0 0 17 1 0 0 0 0 0\n`;
function write(pid: number, files: Record<string, string | Buffer>): void {
  mkdirSync(join(root, String(pid)), { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(root, String(pid), name), content);
}

test('a process is read from comm and stat', () => {
  write(77, { comm: 'worker\n', stat: stat('worker') });
  assert.deepEqual(readProcess(77, root), {
    comm: 'worker',
    startTimeTicks: 149_307,
    ppid: 4242,
    nice: 5,
    state: 'S',
  });
});

test('a name made to look like the fields behind it changes nothing', () => {
  write(78, { comm: 'a) (b) R 1 1\n', stat: stat('a) (b) R 1 1') });
  const found = readProcess(78, root);
  assert.equal(found?.comm, 'a) (b) R 1 1');
  assert.equal(found?.state, 'S');
  assert.equal(found?.ppid, 4242);
});

test('names with newlines, invalid bytes or nothing in them are safe', () => {
  write(79, { comm: Buffer.from('a\nb\xff\n', 'latin1'), stat: stat('a\\nb') });
  assert.equal(readProcess(79, root)?.comm, 'a\\x0ab\\xff');
  write(80, { comm: '\n', stat: stat('') });
  assert.equal(readProcess(80, root)?.comm, '\\x00');
});

test('a negative nice value is read', () => {
  write(81, { comm: 'x\n', stat: stat('x').replace(' 25 5 ', ' 0 -20 ') });
  assert.equal(readProcess(81, root)?.nice, -20);
});

test('a process that is gone, before or between the two reads, is undefined', () => {
  assert.equal(readProcess(82, root), undefined);
  write(83, { stat: stat('x') });
  assert.equal(readProcess(83, root), undefined);
});

test('fields are counted as in proc_pid_stat(5)', () => {
  const fields = parseStat(stat('x'));
  assert.deepEqual([fields[3], fields[4], fields[14], fields[15]], ['S', '4242', '15', '27']);
});

test('this process and a child are read live, and the child is undefined once it was reaped', async () => {
  const own = readProcess(process.pid);
  assert.equal(own?.ppid, process.ppid);
  assert.equal(own?.comm, readFileSync('/proc/self/comm', 'utf8').trim());
  const child = spawn('nice', ['-n', '7', 'sh', '-c', 'echo ready; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const found = readProcess(child.pid!);
  assert.equal(found?.ppid, process.pid);
  assert.equal(found?.nice, Math.min(own!.nice + 7, 19));
  assert.ok(found.startTimeTicks >= own!.startTimeTicks);
  child.stdin.end();
  await once(child, 'exit');
  assert.equal(readProcess(child.pid!), undefined);
});
