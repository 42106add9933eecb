/** The daemon killed with SIGKILL, at random moments of its life: it can clean up nothing, and nothing may be left. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningDaemon, startDaemon } from '../../../live/support/daemon.js';
import { assertTimely, upToThreeTimes } from '../../../support/timing.js';
import { markedProcesses, markedTracers } from '../marked.js';
import { randomNumbers, seedOfRun } from '../random.js';

/** What README says; most take a tenth of that. */
const goneWithinMilliseconds = 2000;
/** What lives on for so long stays. */
const leftAfterMilliseconds = 20_000;
const startMilliseconds = 3000;
const mark = 'FAULTS_MARK';
const token = 'the-token-of-the-fault-tests';

/** How many daemons are killed, and when. */
export interface DaemonKills {
  /** Before the first tick, in as many parts of the time that a start takes. */
  readonly starting: number;
  readonly observing: number;
  /** While a second tracer runs. */
  readonly inspecting: number;
}

interface Killed {
  readonly moment: string;
  readonly tracers: number;
  readonly milliseconds: number;
}

const startMarked = async (folder: string, value: string): Promise<RunningDaemon> => {
  const tokenFile = path.join(folder, 'token');
  await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
  const args = ['--inspect.api=on', `--inspect.token-file=${tokenFile}`];
  return startDaemon({ args, env: { [mark]: value } });
};

/** Kills a daemon; gives how many bpftraces it had, and how long (ms) the last process of it lived on. */
const killAndWatch = async (daemon: RunningDaemon, value: string, moment: string): Promise<Killed> => {
  const tracers = (await markedTracers(mark, value)).length;
  const killedAt = Date.now();
  process.kill(daemon.pid, 'SIGKILL');
  for (;;) {
    const left = await markedProcesses(mark, value);
    const milliseconds = Date.now() - killedAt;
    if (left.length === 0) {
      assertTimely(
        milliseconds < goneWithinMilliseconds,
        `${milliseconds} ms, where ${goneWithinMilliseconds} ms are allowed`,
      );
      return { moment, tracers, milliseconds };
    }
    assert.ok(milliseconds < leftAfterMilliseconds, `after ${milliseconds} ms: ${JSON.stringify(left)}`);
    await sleep(10);
  }
};

/** Fails where a process of a killed daemon is left, or a round kills less than it is meant to. */
export const killDaemons = async (t: TestContext, rounds: DaemonKills): Promise<void> => {
  const seed = seedOfRun();
  t.diagnostic(`FAULTS_SEED=${seed}`);
  const random = randomNumbers(seed);
  const folder = await mkdtemp(path.join(tmpdir(), 'mmaplockd-faults-'));
  t.after(() => rm(folder, { recursive: true }));
  let count = 0;
  const round = async (
    kind: string,
    reach: (daemon: RunningDaemon, value: string) => Promise<string>,
  ): Promise<Killed> =>
    upToThreeTimes(t, 'killed-daemon', async () => {
      count += 1;
      const value = `${process.pid}-${kind}-${count}`;
      const daemon = await startMarked(folder, value);
      const killed = await killAndWatch(daemon, value, await reach(daemon, value));
      t.diagnostic(JSON.stringify(killed));
      return killed;
    });

  let starting = 0;
  for (let part = 0; part < rounds.starting; part += 1) {
    const pause = Math.round(((part + random()) / rounds.starting) * startMilliseconds);
    const { tracers } = await round('starting', async () => {
      await sleep(pause);
      return `${pause} ms after it served`;
    });
    starting += tracers;
  }
  assert.ok(starting > 0, 'at some of these moments there was a bpftrace to be left behind');

  for (let left = rounds.observing; left > 0; left -= 1) {
    const { tracers } = await round('observing', async (daemon) => {
      await daemon.ready(60);
      const pause = Math.round(random() * 1500);
      await sleep(pause);
      return `${pause} ms after it was ready`;
    });
    assert.ok(tracers > 0, 'its tracer runs');
  }

  for (let left = rounds.inspecting; left > 0; left -= 1) {
    let asked: Promise<Response> | undefined;
    const { tracers } = await round('inspecting', async (daemon, value) => {
      await daemon.ready(60);
      asked = fetch(`${daemon.url}/api/v1/inspect?seconds=10`, {
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
      return `${pause} ms into inspect mode`;
    });
    assert.ok(tracers > 1, 'the tracer and the one of inspect mode ran');
    await assert.rejects(asked as Promise<Response>, 'the request ends with the daemon');
  }
};
