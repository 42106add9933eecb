/** Starts a daemon in a guest: each bpftrace that it starts is a part of its own. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Metrics, type RunningDaemon, startDaemon } from '../../live/support/daemon.js';
import { timed } from './parts.js';
import { part } from './report.js';

/** What takes a second elsewhere takes half a minute here. */
export const patience = [
  '--bpftrace.start-timeout-seconds=300',
  '--bpftrace.stall-restart-seconds=120',
  '--bpftrace.stall-seconds=60',
];
const startMilliseconds = 300_000;
const lookMilliseconds = 200;
const settlingMilliseconds = 1500;

const read = (file: string): string => {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
};

/**
 * The children of a process that run a bpftrace program; one that only tells its version does not. None where the
 * kernel does not list children (CONFIG_PROC_CHILDREN): then all starts are one part.
 */
const tracersOf = (pid: number): string[] =>
  read(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((child) => child !== '' && read(`/proc/${child}/cmdline`).includes('bpftrace\0-f\0json'));

/**
 * The same daemon, not asked before there can be an answer: for a settled one, ticks must have come that are over a
 * second apart, and every question takes the emulator 0.1 s, also while a tracer is compiling.
 */
const patiently = (daemon: RunningDaemon): RunningDaemon => ({
  ...daemon,
  settled: async () => {
    const lastTick = (metrics: Metrics): number => metrics.sum('mmaplock_last_tick_timestamp_seconds') ?? 0;
    const first = lastTick(await daemon.metrics());
    await sleep(settlingMilliseconds);
    return daemon.until('two more ticks', (now) => lastTick(now) > first + settlingMilliseconds / 1000, 10);
  },
});

/** The same daemon; waiting until all has been counted is a part of its own. */
export const withSettlingTimed = (daemon: RunningDaemon): RunningDaemon => ({
  ...daemon,
  settled: () => timed('settling', daemon.settled),
});

/**
 * Starts a daemon; resolves once it says that it observes, or has had five minutes. It is not asked meanwhile, for
 * every answer takes the emulator time.
 * @param triesLockPaths whether it finds out how the kernel serves the proc files, before it starts its program
 */
export const startTimed = async (
  name: string,
  args: readonly string[],
  triesLockPaths: boolean,
): Promise<RunningDaemon> => {
  const daemon = await timed(`${name}: node`, () => startDaemon({ args: [...patience, ...args] }));
  const starts = ['canary', ...(triesLockPaths ? ['self-check'] : []), 'program'];
  const known = new Set<string>();
  await timed(`${name}: bpftrace`, async () => {
    const deadline = Date.now() + startMilliseconds;
    while (!daemon.log.some(({ msg }) => msg === 'observing') && Date.now() < deadline) {
      for (const tracer of tracersOf(daemon.pid)) {
        if (known.has(tracer)) continue;
        known.add(tracer);
        part(`${name}: ${starts[known.size - 1] ?? 'program, started again'}`);
      }
      await sleep(lookMilliseconds);
    }
  });
  return patiently(daemon);
};
