/**
 * The tests that every kernel must pass, run in its guest by the built daemon: with function probes, and again with
 * tracepoints alone. A kernel is added in matrix.mjs; what holds on it is in its `expect`.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { killLeftovers } from '../../live/support/children.js';
import { type RunningDaemon, startDaemon } from '../../live/support/daemon.js';
import { blockedTime } from './blocked-time.js';
import { type Entry, readEntry } from './entry.js';
import { evidence } from './evidence.js';
import { checkPlan } from './plan.js';
import { readBusyProcess, readIdleProcess } from './readers.js';
import { check, done, fact, log, note } from './report.js';
import { snapshotRetries } from './snapshot-retries.js';
import { vmaWaits } from './vma-waits.js';
import { writersAlone } from './waits.js';

/** A guest is emulated: what takes a second elsewhere takes half a minute. */
const patience = [
  '--bpftrace.start-timeout-seconds=300',
  '--bpftrace.stall-restart-seconds=120',
  '--bpftrace.stall-seconds=60',
];

const entry = readEntry(process.argv[2] ?? '');

/** For the API of inspect mode. */
const token = randomUUID();
const tokenFile = join(tmpdir(), 'mmaplockd-inspect-token');
const inspectApi = ['--inspect.api=on', `--inspect.token-file=${tokenFile}`];

/** Starts a daemon, does something with it, and ends it; what goes wrong fails, and the next run goes on. */
const withDaemon = async (
  name: string,
  args: readonly string[],
  body: (daemon: RunningDaemon) => Promise<void>,
): Promise<void> => {
  const began = Date.now();
  const daemon = await startDaemon({ args: [...patience, ...args] });
  try {
    await daemon.ready(60);
    note(`${name}: ready after ${Math.round((Date.now() - began) / 1000)} s`);
    await body(daemon);
    const metrics = await daemon.metrics();
    for (const what of ['lost_events', 'decode_errors', 'map_overflows', 'tracer_restarts']) {
      const count = metrics.sum(`mmaplock_${what}_total`) ?? 0;
      check(`${name}: mmaplock_${what}_total is 0`, count === 0, `it is ${count}`);
    }
    note(`${name}: ran ${Math.round((Date.now() - began) / 1000)} s`);
  } catch (error) {
    check(`${name}: runs to its end`, false, String((error as Error).stack ?? error).slice(0, 2000));
  } finally {
    log(`daemon-${name}.log`, daemon.log.map((record) => JSON.stringify(record)).join('\n'));
    check(`${name}: ends with 0`, (await daemon.stop()) === 0);
    // What it was doing goes on otherwise, and disturbs what comes next.
    await killLeftovers();
  }
};

const byKprobes = ['--probes.allow=tracepoint,kprobe', '--probes.disable=contention-tracepoint'];

const runAll = async ({ expect }: Entry): Promise<void> => {
  const counts: number[] = [];
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const functions = [...(expect.vmaWaits ? ['--vma-waits=on'] : []), ...(expect.inspect ? inspectApi : [])];
  await withDaemon('functions', functions, async (daemon) => {
    await checkPlan(daemon, entry, 'fentry');
    await writersAlone(daemon, entry);
    counts.push(await readIdleProcess(daemon, 'functions'));
    await readBusyProcess(daemon, entry);
    await blockedTime(daemon, entry);
    await evidence(daemon, entry, expect.inspect ? token : undefined);
    await snapshotRetries(daemon, entry);
    await vmaWaits(daemon, entry);
  });
  await withDaemon('tracepoints', ['--probes.allow=tracepoint'], async (daemon) => {
    await checkPlan(daemon, entry, 'tracepoint');
    counts.push(await readIdleProcess(daemon, 'tracepoints'));
  });
  if (expect.kprobes)
    await withDaemon('kprobes', byKprobes, async (daemon) => {
      await checkPlan(daemon, entry, 'kprobe');
      await writersAlone(daemon, entry, { name: 'wr-kprobes', part: 0.5 });
      counts.push(await readIdleProcess(daemon, 'kprobes'));
    });
  const same = counts.length > 1 && counts.every((count) => count === counts[0]);
  check('every kind of probe gives the same count of reads', same, counts.join(', '));
  if (expect.paths.maps === undefined) check('the entry names the lock path of maps', false);
};

fact('release', release());
fact('bpftrace', execaSync('bpftrace', ['--version']).stdout.replace(/^bpftrace v?/, ''));
runAll(entry)
  .catch((error: unknown) =>
    check('the tests run to their end', false, String((error as Error).stack ?? error)),
  )
  .finally(() => {
    done();
    process.exit();
  });
