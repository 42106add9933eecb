/** A daemon that lives through all that makes it write: incidents, a reload, a tracer that is killed, its socket. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type RunningDaemon, startDaemon } from '../../live/support/daemon.js';
import { runWorkload } from '../../live/support/workload.js';

/** A writer that a reader of smaps makes wait, long enough for an incident of 1 ms. */
const makeIncidents = async (daemon: RunningDaemon): Promise<void> => {
  const writers = await runWorkload('writers', ['--vmas', '2000', '--seconds', '600', '--name', 'wr-doors']);
  await writers.ready;
  const reader = await runWorkload('proc-reader', ['smaps', String(writers.pid), '--seconds', '600']);
  await daemon.until('an incident', (metrics) => (metrics.sum('mmaplock_incidents_total') ?? 0) > 0, 40);
  await reader.stop();
  await writers.stop();
};

/**
 * From its start to its end.
 * @param state the directory for its files
 * @param wrap what to put before `node`
 */
export const liveThrough = async (state: string, wrap: readonly string[]): Promise<RunningDaemon> => {
  const args = [
    `--incidents.directory=${path.join(state, 'incidents')}`,
    '--incidents.wait-ms=1',
    '--incidents.quiet-seconds=1',
    `--web.unix-socket=${path.join(state, 'socket')}`,
  ];
  const daemon = await startDaemon({ args, wrap });
  await daemon.ready(60);
  await makeIncidents(daemon);
  process.kill(daemon.pid, 'SIGHUP');
  const killed = await daemon.tracerPid();
  process.kill(killed, 'SIGKILL');
  const isBack = (restarts: number | undefined, up: number | undefined): boolean =>
    (restarts ?? 0) > 0 && up === 1;
  await daemon.until(
    'another tracer',
    (metrics, { status }) =>
      status === 200 &&
      isBack(metrics.sum('mmaplock_tracer_restarts_total'), metrics.sum('mmaplock_tracer_up')),
    60,
  );
  await daemon.settled();
  assert.ok(existsSync(path.join(state, 'socket')), 'the socket is there');
  assert.equal(await daemon.stop(), 0);
  assert.ok((await readdir(path.join(state, 'incidents'))).length > 0, 'incidents were kept');
  assert.ok(!existsSync(path.join(state, 'socket')), 'the socket is gone');
  return daemon;
};
