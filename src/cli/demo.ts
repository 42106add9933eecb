/** `mmaplockd demo`: makes threads of one process contend for its mmap_lock, and shows what the daemon sees of it. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import { MmaplockError, messageOf } from '../errors.js';
import { packageRoot } from '../host.js';
import type { DaemonView } from '../http/context.js';
import { claimHost } from '../instance.js';
import type { WaitTotal } from '../ledger/waits.js';
import { createLog, type Log } from '../log/log.js';

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** A running daemon, as far as the demonstration looks at it. */
interface Daemon {
  readonly view: DaemonView;
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

/** @param startDaemon main's, for only main starts daemons */
export const demo = async (
  config: Config,
  seconds: number,
  clock: Clock,
  startDaemon: (config: Config, log: Log, clock: Clock) => Promise<Daemon>,
): Promise<number> => {
  const workload = await buildWriters();
  const log = createLog({ ...config.log, level: config.log.level === 'info' ? 'warn' : config.log.level });
  const web = { ...config.web, listen_address: ['127.0.0.1:0'] };
  await claimHost({ ...config, web }, log);
  const daemon = await startDaemon({ ...config, web }, log, clock);
  try {
    await observing(daemon, config.bpftrace.start_timeout_seconds, clock);
    say(
      `Two threads of "writers" now map, touch, protect and unmap memory for ${seconds} s. All of that needs the`,
    );
    say('mmap_lock of their process, so they wait for each other. Watch it live at');
    say(`  ${daemon.urls[0]}/api/v1/waits\n`);
    const writers = execa(workload, ['--threads', '2', '--vmas', '1000', '--seconds', String(seconds)], {
      reject: false,
    });
    const stopShowing = showProgress(daemon, clock);
    const result = await writers;
    if (result.exitCode !== 0)
      throw new MmaplockError('internal_error', `writers ended badly: ${messageOf(result)}`);
    await pause(clock, 1500);
    stopShowing();
    say(`\n${summaryOf(daemon)}`);
    return 0;
  } finally {
    await daemon.stop();
  }
};

/** The workload, compiled where that has not been done yet. */
const buildWriters = async (): Promise<string> => {
  const source = path.join(packageRoot, 'test/workload/writers.c');
  const target = path.join(packageRoot, 'dist/workload/writers');
  if (existsSync(target)) return target;
  if (!existsSync(source))
    throw new MmaplockError('workload_missing', `the demonstration's load is not here: ${source}`, {
      fix: 'Run the demonstration from a checkout of the source.',
    });
  await mkdir(path.dirname(target), { recursive: true });
  const compiled = await execa('cc', ['-O2', '-pthread', '-o', target, source], { reject: false });
  if (compiled.failed)
    throw new MmaplockError('workload_missing', `cc failed: ${compiled.stderr || messageOf(compiled)}`);
  return target;
};

const pause = (clock: Clock, milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(milliseconds, resolve);
  });

const observing = async (daemon: Daemon, timeoutSeconds: number, clock: Clock): Promise<void> => {
  const deadline = clock.monotonic() + timeoutSeconds * 1000;
  while (!daemon.view.readiness().ready) {
    const [problem] = daemon.view.readiness().problems;
    if (
      clock.monotonic() > deadline ||
      problem?.code === 'nothing_observable' ||
      problem?.code === 'bpftrace_missing'
    )
      throw new MmaplockError('nothing_observable', problem?.message ?? 'not ready', problem);
    await pause(clock, 200);
  }
};

const sumOf = (totals: Iterable<WaitTotal>, mode: string): { count: number; seconds: number } => {
  let count = 0;
  let nanoseconds = 0;
  for (const total of totals) {
    if (total.mode !== mode) continue;
    count += total.count;
    nanoseconds += total.nanoseconds;
  }
  return { count, seconds: nanoseconds / 1e9 };
};

const showProgress = (daemon: Daemon, clock: Clock): (() => void) => {
  const { waits } = daemon.view.ledger;
  const startedAt = clock.monotonic();
  let cancel = (): void => {};
  const show = (): void => {
    const write = sumOf(waits.totals.values(), 'write');
    const read = sumOf(waits.totals.values(), 'read');
    const elapsed = ((clock.monotonic() - startedAt) / 1000).toFixed(0);
    say(
      `${elapsed.padStart(4)} s  to write: ${write.count} waits, ${write.seconds.toFixed(3)} s` +
        `   to read: ${read.count} waits, ${read.seconds.toFixed(3)} s`,
    );
    cancel = clock.after(2000, show);
  };
  cancel = clock.after(2000, show);
  return () => cancel();
};

/** What was seen, in one sentence. */
const summaryOf = ({ view }: Daemon): string => {
  const { waits } = view.ledger;
  const writers = waits.list.entries().find(({ name }) => name === 'writers');
  if (writers === undefined)
    return 'Nobody had to wait this time: the threads never met. Try again, or with --seconds 60.';
  const { read, write } = writers.waits;
  const seconds = (read.nanoseconds + write.nanoseconds) / 1e9;
  const worst = [...waits.totals.values()].reduce((a, b) => (b.nanoseconds > a.nanoseconds ? b : a));
  return (
    `writers (pid ${writers.lastPid}) waited ${read.count + write.count} times for its own mmap_lock, ` +
    `${seconds.toFixed(3)} thread-seconds in all: ${write.count} times to write, ${read.count} times to read; ` +
    `most of the time was lost in ${worst.operation} (${worst.mode}).`
  );
};
