/**
 * The tests that every kernel must pass, run in its guest by the built daemon: with function probes, and again with
 * tracepoints alone. A kernel is added in matrix.mjs; what holds on it is in its `expect`.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { execaSync } from 'execa';
import { killLeftovers } from '../../live/support/children.js';
import type { RunningDaemon } from '../../live/support/daemon.js';
import { blockedTime } from './blocked-time.js';
import { crowd } from './crowd.js';
import { type Entry, readEntry } from './entry.js';
import { evidence } from './evidence.js';
import { nothingKept } from './kept.js';
import { lockedDown } from './locked-down.js';
import { timed } from './parts.js';
import { checkPlan } from './plan.js';
import { waitsOnRt } from './preempt-rt.js';
import { readBusyProcess, readIdleProcess } from './readers.js';
import { check, done, fact, figure, log, part, skip } from './report.js';
import { withSecondOpinion } from './second-opinion.js';
import { snapshotRetries } from './snapshot-retries.js';
import { startTimed, withSettlingTimed } from './start.js';
import { vmaWaits } from './vma-waits.js';
import { writersAlone } from './waits.js';

const entry = readEntry(process.argv[2] ?? '');

/** For the API of inspect mode. */
const token = randomUUID();
const tokenFile = join(tmpdir(), 'mmaplockd-inspect-token');
const inspectApi = ['--inspect.api=on', `--inspect.token-file=${tokenFile}`];

/** By the first daemon alone: it is the kernel that is tried out, and stays the same. */
const alreadyTried = '--probes.disable=lock-path,own-files';
const byTracepoints = ['--probes.allow=tracepoint', alreadyTried];
const byKprobes = [
  '--probes.allow=tracepoint,kprobe',
  '--probes.disable=contention-tracepoint,lock-path,own-files',
];

/**
 * Starts a daemon, does something with it, and ends it; what goes wrong fails, and the next run goes on.
 * @param body gets the daemon, and once more for who looks at it all the time: without a part for settling
 */
const withDaemon = async (
  name: string,
  { args, triesLockPaths = false }: { args: readonly string[]; triesLockPaths?: boolean },
  body: (daemon: RunningDaemon, untimed: RunningDaemon) => Promise<void>,
): Promise<void> => {
  const daemon = await startTimed(name, args, triesLockPaths);
  try {
    await timed(`${name}: ready`, () => daemon.ready(10));
    await body(withSettlingTimed(daemon), daemon);
    const metrics = await daemon.metrics();
    // Kprobes have no room for the ends of many waits at once, and bpftrace refuses what it cannot do first.
    const refuses = entry.expect.functions === 'kprobe';
    const mostlyZero = refuses ? [] : ['lost_events', 'tracer_restarts'];
    for (const what of ['decode_errors', 'map_overflows', ...mostlyZero]) {
      const count = metrics.sum(`mmaplock_${what}_total`) ?? 0;
      check(`${name}: mmaplock_${what}_total is 0`, count === 0, `it is ${count}`);
    }
  } catch (error) {
    check(`${name}: runs to its end`, false, inspect(error).slice(0, 2000));
  } finally {
    const { route, milliseconds } = daemon.longest;
    figure(`${name}: longest answer`, `${Math.round(milliseconds)} ms: ${route}`);
    log(`daemon-${name}.log`, daemon.log.map((record) => JSON.stringify(record)).join('\n'));
    check(`${name}: ends with 0`, (await timed(`${name}: end`, () => daemon.stop())) === 0);
    // What it was doing goes on otherwise, and disturbs what comes next.
    await killLeftovers();
  }
};

const runAll = async ({ expect, whole }: Entry): Promise<void> => {
  const counts: number[] = [];
  const idle = (daemon: RunningDaemon, tier: string): Promise<number> =>
    timed('reads of an idle process', () => readIdleProcess(daemon, tier));
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const functions = [...(expect.vmaWaits ? ['--vma-waits=on'] : []), ...(expect.inspect ? inspectApi : [])];
  await withDaemon('functions', { args: functions, triesLockPaths: true }, async (daemon, untimed) => {
    await checkPlan(daemon, entry, expect.functions ?? 'fentry');
    counts.push(await idle(daemon, 'functions'));
    await timed('reads of a busy process', () => readBusyProcess(daemon, entry));
    await timed('64 waits at once', () => crowd(daemon, entry));
    if (expect.contentionTracepoints === false) return;
    await withSecondOpinion([
      writersAlone(daemon, entry),
      ...(expect.paths.maps === 'mmap_lock' ? [blockedTime(daemon)] : []),
      ...(expect.paths.maps === 'rcu_snapshot' ? [snapshotRetries(daemon)] : []),
    ]);
    if (expect.inspect) await timed('two readers, inspected', () => evidence(untimed, token));
    if (expect.vmaWaits) await timed('VMA waits', () => vmaWaits(daemon));
  });
  if (expect.contentionTracepoints === false) return;
  await withDaemon('tracepoints', { args: byTracepoints }, async (daemon) => {
    await checkPlan(daemon, entry, 'tracepoint');
    counts.push(await idle(daemon, 'tracepoints'));
  });
  if (expect.kprobes && whole)
    await withDaemon('kprobes', { args: byKprobes }, async (daemon) => {
      await checkPlan(daemon, entry, 'kprobe');
      await withSecondOpinion([writersAlone(daemon, entry, { name: 'wr-kprobes', part: 0.5 })]);
      counts.push(await idle(daemon, 'kprobes'));
    });
  else if (expect.kprobes) skip('the scenarios by kprobes', 'only with --whole');
  if (whole) {
    await nothingKept('functions', []);
    await nothingKept('tracepoints', byTracepoints);
    if (expect.kprobes) await nothingKept('kprobes', byKprobes);
  } else skip('what is kept of the dead', 'only with --whole');
  const same = counts.length > 1 && counts.every((count) => count === counts[0]);
  check('every kind of probe gives the same count of reads', same, counts.join(', '));
  if (expect.paths.maps === undefined) check('the entry names the lock path of maps', false);
};

fact('release', release());
fact('bpftrace', execaSync('bpftrace', ['--version']).stdout.replace(/^bpftrace v?/, ''));
const run = async (): Promise<void> => {
  if (entry.expect.only === 'lockdown') return lockedDown();
  if (entry.expect.only === 'preempt_rt')
    return withDaemon('functions', { args: [] }, (daemon) => timed('waits', () => waitsOnRt(daemon)));
  return runAll(entry);
};

run()
  .catch((error: unknown) => check('the tests run to their end', false, inspect(error)))
  .finally(() => {
    done();
    part('going off');
    process.exit();
  });
