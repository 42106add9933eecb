/** The daemon killed with SIGKILL, at random moments of its life: it can clean up nothing, and nothing may be left. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { killLeftovers } from '../live/support/children.js';
import { type RunningDaemon, startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { markedProcesses, markedTracers } from './support/marked.js';
import { randomNumbers, seedOfRun } from './support/random.js';

const skip = lacking('root', 'tracing', 'bpftrace');
const folders: string[] = [];

/** The limit. */
const goneWithinMilliseconds = 2000;
const mark = 'FAULTS_MARK';
const token = 'the-token-of-the-fault-tests';

afterEach(async () => {
  await killLeftovers();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const startMarked = async (value: string): Promise<RunningDaemon> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mmaplockd-faults-'));
  folders.push(folder);
  const tokenFile = path.join(folder, 'token');
  await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
  const args = ['--inspect.api=on', `--inspect.token-file=${tokenFile}`];
  return startDaemon({ args, env: { [mark]: value } });
};

/** Kills a daemon; gives how many bpftraces it had, and how long (ms) the last process of it lived on. */
const killAndWatch = async (daemon: RunningDaemon, value: string) => {
  const tracers = (await markedTracers(mark, value)).length;
  const killedAt = Date.now();
  process.kill(daemon.pid, 'SIGKILL');
  for (;;) {
    const left = await markedProcesses(mark, value);
    const milliseconds = Date.now() - killedAt;
    if (left.length === 0) return { tracers, milliseconds };
    assert.ok(milliseconds < goneWithinMilliseconds, `after ${milliseconds} ms: ${JSON.stringify(left)}`);
    await sleep(10);
  }
};

test('20 times of 20, no process of a killed daemon is left 2 s later', { skip }, async (t) => {
  const seed = seedOfRun();
  const random = randomNumbers(seed);
  const rows: { moment: string; tracers: number; milliseconds: number }[] = [];
  const kill = async (daemon: RunningDaemon, value: string, moment: string): Promise<number> => {
    const { tracers, milliseconds } = await killAndWatch(daemon, value);
    rows.push({ moment, tracers, milliseconds });
    return tracers;
  };

  let starting = 0;
  for (let round = 0; round < 8; round++) {
    const value = `${process.pid}-starting-${round}`;
    const daemon = await startMarked(value);
    const pause = Math.round(random() * 3000);
    await sleep(pause);
    starting += await kill(daemon, value, `${pause} ms after it served`);
  }
  assert.ok(starting > 0, 'at some of these moments there was a bpftrace to be left behind');

  for (let round = 0; round < 8; round++) {
    const value = `${process.pid}-observing-${round}`;
    const daemon = await startMarked(value);
    await daemon.ready(60);
    const pause = Math.round(random() * 1500);
    await sleep(pause);
    assert.ok((await kill(daemon, value, `${pause} ms after it was ready`)) > 0, 'its tracer runs');
  }

  for (let round = 0; round < 4; round++) {
    const value = `${process.pid}-inspecting-${round}`;
    const daemon = await startMarked(value);
    await daemon.ready(60);
    const asked = fetch(`${daemon.url}/api/v1/inspect?seconds=10`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    asked.catch(() => {});
    const deadline = Date.now() + 20_000;
    while ((await markedTracers(mark, value)).length < 2) {
      assert.ok(Date.now() < deadline, 'no second tracer within 20 s');
      await sleep(50);
    }
    const pause = Math.round(random() * 2000);
    await sleep(pause);
    const tracers = await kill(daemon, value, `${pause} ms into inspect mode`);
    assert.ok(tracers > 1, 'the tracer and the one of inspect mode ran');
    await assert.rejects(asked, 'the request ends with the daemon');
  }

  t.diagnostic(`FAULTS_SEED=${seed}`);
  for (const row of rows) t.diagnostic(JSON.stringify(row));
  assert.equal(rows.length, 20);
});
