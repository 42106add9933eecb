import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findOpenProcFiles, hasOpenProcFile } from '../../src/identity/open-proc-files.js';

const root = mkdtempSync(join(tmpdir(), 'mmaplock-open-'));
after(() => rmSync(root, { recursive: true }));

/** A process of a made-up /proc, with the links of its descriptors. */
const processWith = (proc: string, pid: number, ...links: readonly string[]): void => {
  const directory = join(root, proc, String(pid), 'fd');
  mkdirSync(directory, { recursive: true });
  for (const [descriptor, link] of links.entries()) symlinkSync(link, join(directory, String(descriptor)));
};
const found = async (proc: string): Promise<number[]> =>
  (await findOpenProcFiles({ proc: join(root, proc) })).pids.sort((a, b) => a - b);

test('a process that has such a file open is found, once, whatever else it has open', async () => {
  processWith('each', 1, '/dev/null', '/proc/7/maps', '/proc/8/maps');
  processWith('each', 2, '/proc/7/task/9/smaps');
  processWith('each', 3, 'socket:[1]', '/proc/7/smaps_rollup');
  processWith('each', 4, '/proc/7/numa_maps');
  processWith('each', 5, '/proc/7/pagemap');
  processWith('each', 6, '/proc/7/clear_refs');
  processWith('each', 7, '/dev/null', 'pipe:[2]');
  processWith('each', 8, '/proc/7/map_files');
  assert.deepEqual(await found('each'), [1, 2, 3, 4, 5, 6, 8]);
});

test('it is found from another mount namespace', async () => {
  processWith('elsewhere', 10, '/7/maps');
  processWith('elsewhere', 11, '/host/proc/7/smaps');
  assert.deepEqual(await found('elsewhere'), [10, 11]);
});

test('other files of /proc and files of a like name are none', async () => {
  processWith('other', 20, '/proc/7/stat', '/proc/7/task/9/comm', '/proc/7/mem');
  processWith(
    'other',
    21,
    '/srv/maps',
    '/proc/maps',
    '/proc/7/attr/maps',
    '/proc/7/maps.old',
    '/proc/x7/maps',
  );
  processWith('other', 22, '/proc/7/fd/maps', 'anon_inode:/7/maps/');
  assert.deepEqual(await found('other'), []);
});

test('what is no process, has gone or has no descriptors is passed over', async () => {
  processWith('gone', 30, '/proc/7/maps');
  mkdirSync(join(root, 'gone', '31'));
  mkdirSync(join(root, 'gone', 'self', 'fd'), { recursive: true });
  symlinkSync('/proc/7/maps', join(root, 'gone', 'self', 'fd', '0'));
  processWith('gone', 32);
  assert.deepEqual(await found('gone'), [30]);
});

test('a file among thousands of descriptors is found', async () => {
  processWith('many', 40, ...Array.from({ length: 2500 }, (_, index) => `socket:[${index}]`), '/proc/7/maps');
  assert.deepEqual(await found('many'), [40]);
});

test('of a process with very many descriptors only so many are looked at, and that is told', async () => {
  const sockets = Array.from({ length: 30 }, (_, index) => `socket:[${index}]`);
  processWith('bounded', 50, ...sockets);
  processWith('bounded', 51, ...sockets.slice(0, 5), '/proc/7/maps');
  const proc = join(root, 'bounded');
  assert.deepEqual(await findOpenProcFiles({ proc, linksOfEach: 20, linksAtLeast: 1 }), {
    pids: [51],
    cutShort: 1,
  });
  assert.deepEqual((await findOpenProcFiles({ proc, linksOfEach: 40, linksAtLeast: 1 })).cutShort, 0);
});

test('of all processes together, too, but some of each', async () => {
  for (let pid = 60; pid < 70; pid += 1) processWith('crowd', pid, 'socket:[1]', 'socket:[2]', 'socket:[3]');
  processWith('crowd', 70, '/proc/7/maps');
  const proc = join(root, 'crowd');
  const { pids, cutShort } = await findOpenProcFiles({ proc, linksOfEach: 10, links: 12, linksAtLeast: 2 });
  assert.deepEqual(pids, [70]);
  assert.ok(cutShort >= 6, `${cutShort}`);
});

test('a /proc that cannot be listed is an error, not an empty list', async () => {
  await assert.rejects(findOpenProcFiles({ proc: join(root, 'absent') }), { code: 'ENOENT' });
});

/** A thread of a process of a made-up /proc. */
const threadWith = (proc: string, pid: number, tid: number, ...links: readonly string[]): void =>
  processWith(join(proc, String(pid), 'task'), tid, ...links);

test('of one process, all threads are looked at, for one may have descriptors of its own', async () => {
  threadWith('threads', 50, 50, '/dev/null', '/dev/zero');
  threadWith('threads', 50, 51, '/dev/null', '/proc/7/smaps');
  threadWith('threads', 60, 60, '/dev/null');
  const proc = { proc: join(root, 'threads') };
  assert.equal((await hasOpenProcFile(50, 100, proc)).open, true);
  assert.deepEqual(await hasOpenProcFile(60, 100, proc), { open: false, links: 1 });
  assert.deepEqual(await hasOpenProcFile(61, 100, proc), { open: false, links: 0 }, 'it is gone');
});

test('a process with more descriptors than may be looked at is not said to have none open', async () => {
  threadWith('full', 70, 70, '/dev/null', '/dev/null', '/dev/null');
  const proc = { proc: join(root, 'full') };
  assert.deepEqual(await hasOpenProcFile(70, 2, proc), { open: undefined, links: 2 });
  assert.deepEqual(await hasOpenProcFile(70, 3, proc), { open: false, links: 3 });
});

test('a real process that inherited an open file is found until it ends', async () => {
  const file = openSync('/proc/self/maps', 'r');
  const child = spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', file] });
  closeSync(file);
  try {
    await once(child, 'spawn');
    assert.ok((await findOpenProcFiles()).pids.includes(child.pid!));
  } finally {
    child.kill();
  }
  await once(child, 'exit');
  assert.ok(!(await findOpenProcFiles()).pids.includes(child.pid!));
});
