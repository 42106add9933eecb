/**
 * What the waits of one process must come to: counted by perf, and timed by two programs that share nothing with the
 * daemon's. A tracepoint runs its programs in the order in which they were attached, so one of the two reads the clock
 * before the daemon's program does, at each event, and the other after it. The daemon's time lies between theirs, on a
 * machine of any speed.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { Metrics } from './daemon.js';
import { perfCount, runWorkload, type WitnessMaps, witness } from './workload.js';

/** Times since `base`, for sums of nanoseconds since the boot would not fit. */
const timesOf = (pid: number, base: bigint): string => `
  tracepoint:lock:contention_begin /pid == ${pid} && (args->flags == 2 || args->flags == 4)/ {
    @begun[tid, args->lock_addr] = nsecs;
  }
  tracepoint:lock:contention_end /@begun[tid, args->lock_addr] != 0/ {
    @ends = sum(nsecs - ${base});
    @begins = sum(@begun[tid, args->lock_addr] - ${base});
    @waits = count();
    @exiting = sum((curtask->flags & 4) / 4);
    delete(@begun[tid, args->lock_addr]);
  }`;

/** A whole second before now by the clock of bpftrace's nsecs, which a suspended machine does not stop. */
const bootSeconds = (): bigint =>
  BigInt(Math.floor(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])));

export interface ExactWaits {
  readonly name: string;
  readonly count: number;
  /** Of those, by threads that were ending: perf may not see them (perf_event_exit_task() comes before exit_mm()). */
  readonly exiting: number;
  readonly perf: number;
  /** Seconds between which the daemon's must lie, and those of the program that runs first. */
  readonly seconds: { readonly least: number; readonly most: number; readonly first: number };
}

export interface PreparedWaits {
  /** Lets the writers run to their end. To be called once the daemon's tracer runs. */
  run(): Promise<ExactWaits>;
}

/** Starts writers that do nothing yet, and the first of the two programs. To be called before the daemon starts. */
export const prepareWaits = async (name: string, args: readonly string[]): Promise<PreparedWaits> => {
  const writers = await runWorkload('writers', ['--name', name, ...args], { gate: true });
  await writers.ready;
  const text = timesOf(writers.pid, bootSeconds() * 1_000_000_000n);
  const before = await witness(text);
  return {
    run: async () => {
      const [after, perf] = await Promise.all([witness(text), perfCount({ pid: writers.pid })]);
      writers.release();
      await writers.done;
      const counted = await perf.stop();
      const [first, last] = await Promise.all([before.stop(), after.stop()]);
      const number = (maps: WitnessMaps, map: string): number => Number(maps[map] ?? 0);
      assert.equal(number(first, '@waits'), number(last, '@waits'), 'the two programs saw the same waits');
      const between = (begin: WitnessMaps, end: WitnessMaps): number =>
        (number(end, '@ends') - number(begin, '@begins')) / 1e9;
      return {
        name,
        count: number(first, '@waits'),
        exiting: number(first, '@exiting'),
        perf: counted,
        seconds: { least: between(last, first), most: between(first, last), first: between(first, first) },
      };
    },
  };
};

/** The daemon counted each of these waits, and timed each between the two programs. */
export const assertExactWaits = (t: TestContext, metrics: Metrics, truth: ExactWaits): void => {
  const { name, count, exiting, perf, seconds } = truth;
  const counted = metrics.sum('mmaplock_process_waits_total', { process: name }) ?? 0;
  const timed = metrics.sum('mmaplock_process_wait_seconds_total', { process: name }) ?? 0;
  const beyond = (value: number): string => `${((1e6 * (value - seconds.first)) / count).toFixed(2)} us`;
  t.diagnostic(
    `${counted} waits of ${count}, perf ${perf} and ${exiting} at exit; ${timed} s, a wait ${beyond(timed)} beyond ` +
      `${seconds.first} s, where ${beyond(seconds.least)} to ${beyond(seconds.most)} are right`,
  );
  assert.ok(count > 20, `the kernel saw only ${count} waits`);
  assert.equal(counted, count, 'the count is the one of the two programs');
  assert.ok(
    perf <= counted && counted <= perf + exiting,
    `${counted} waits, perf ${perf} + ${exiting} at exit`,
  );
  assert.ok(
    seconds.least <= timed && timed <= seconds.most,
    `${timed} s, where ${seconds.least} to ${seconds.most} s are right`,
  );
  // By name it is never more than in all: what the bounded family has too much of goes to ~other.
  const ofOthers = metrics
    .all('mmaplock_process_wait_seconds_total')
    .filter(({ labels }) => labels.process !== name && labels.process !== '~other')
    .reduce((sum, { value }) => sum + value, 0);
  const inAll = (metrics.sum('mmaplock_wait_seconds_total') ?? 0) - ofOthers;
  assert.ok(
    seconds.least <= inAll && inAll <= seconds.most,
    `${inAll} s in all without those of others, where ${seconds.least} to ${seconds.most} s are right`,
  );
  for (const mode of ['read', 'write']) {
    const bounded = metrics.sum('mmaplock_waits_total', { mode });
    assert.equal(metrics.sum('mmaplock_process_waits_total', { mode }), bounded, 'by process and in all');
    assert.equal(
      metrics.sum('mmaplock_wait_duration_seconds_count', { mode }),
      bounded,
      'durations and in all',
    );
  }
};
