/** Programs that are no bpftrace, and do what they can to those who ask them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { runCanary } from '../../../src/bpftrace/dialect.js';
import { readVersion } from '../../../src/bpftrace/find.js';
import { runBriefly } from '../../../src/bpftrace/process/briefly.js';
import { fakeBpftrace, temporaryFolder } from '../fake.js';

const timeout = 60_000;
const environment = { PATH: '/usr/bin:/bin' };
const usual = { env: environment, timeoutMs: 30_000, mostBytes: 4096 };

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    // One that nobody has waited for yet is dead all the same.
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
};

const gone = async (pid: number): Promise<void> => {
  while (lives(pid)) await pause(20);
};

/** The number in a file, once it is there. */
const pidIn = async (file: string): Promise<number> => {
  while (!existsSync(file) || readFileSync(file, 'utf8').trim() === '') await pause(20);
  return Number(readFileSync(file, 'utf8'));
};

test('output without an end, and without a newline, costs what is allowed', { timeout }, async (t) => {
  const path = fakeBpftrace(t, 'exec tr "\\\\0" x </dev/zero');
  const before = process.memoryUsage().rss;
  await assert.rejects(readVersion([path], environment), {
    code: 'bpftrace_missing',
    message: /it said more than 4096 bytes/,
  });
  await assert.rejects(runCanary([path], { env: environment, version: '0.27.0' }), {
    code: 'canary_failed',
    message: /it said more than 65536 bytes/,
  });
  const mebibytes = (process.memoryUsage().rss - before) / 2 ** 20;
  assert.ok(mebibytes < 100, `${mebibytes} MiB`);
});

test('one that hangs is ended when nobody wants to know any more', { timeout }, async (t) => {
  const file = path.join(temporaryFolder(t), 'pid');
  const hanging = fakeBpftrace(t, `echo $$ >${file}; exec sleep 600`);
  const ending = new AbortController();
  const asked = assert.rejects(readVersion([hanging], environment, ending.signal), {
    code: 'bpftrace_missing',
  });
  const pid = await pidIn(file);
  ending.abort();
  await asked;
  await gone(pid);
});

test('one that is asked when nobody wants to know any more is ended at once', { timeout }, async (t) => {
  const { failure } = await runBriefly([fakeBpftrace(t, 'exec sleep 600')], {
    ...usual,
    signal: AbortSignal.abort(),
  });
  assert.ok(failure !== undefined);
});

test('one that leaves another behind, which keeps its output open, is over all the same', {
  timeout,
}, async (t) => {
  const file = path.join(temporaryFolder(t), 'pid');
  const leaving = fakeBpftrace(t, `sleep 600 & echo $! >${file}; echo "bpftrace v0.27.0"`);
  assert.equal(await readVersion([leaving], environment), '0.27.0');
  await gone(await pidIn(file));
  // This one has got out of the group when it ends.
  const other = path.join(temporaryFolder(t), 'pid');
  const script = `setsid sh -c 'echo $$ >${other}; exec sleep 600' & until [ -s ${other} ]; do :; done`;
  const said = await runBriefly([fakeBpftrace(t, `${script}; echo "bpftrace v0.27.0"`)], usual);
  process.kill(await pidIn(other), 'SIGKILL');
  assert.match(said.stdout, /^bpftrace v0\.27\.0/);
});

test('one that takes too long is told from one that fails', { timeout }, async (t) => {
  const said = await runBriefly([fakeBpftrace(t, 'exec sleep 600')], { ...usual, timeoutMs: 300 });
  assert.deepEqual([said.timedOut, said.failure], [true, 'it did not end in 300 ms']);
});

test('it does not outlive who asks, however that ends', { timeout }, async (t) => {
  const file = path.join(temporaryFolder(t), 'pid');
  const hanging = fakeBpftrace(t, `echo $$ >${file}; exec sleep 600`);
  const find = new URL('../../../src/bpftrace/find.js', import.meta.url).href;
  const asking = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `import { readVersion } from ${JSON.stringify(find)};
     await readVersion([${JSON.stringify(hanging)}], process.env);`,
  ]);
  const pid = await pidIn(file);
  asking.kill('SIGKILL');
  await once(asking, 'exit');
  await gone(pid);
});
