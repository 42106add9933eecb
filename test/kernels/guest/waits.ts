/** Writers without a reader: waits as perf counts them, and nobody to blame. */
import { readFileSync } from 'node:fs';
import { parseBtf } from '../../../src/kernel/btf.js';
import type { RunningDaemon } from '../../live/support/daemon.js';
import { perfCount, runWorkload } from '../../live/support/workload.js';
import type { Entry } from './entry.js';
import { timed } from './parts.js';
import { check, figure } from './report.js';
import { total } from './scenarios.js';
import type { Scenario } from './second-opinion.js';

const threads = 2;

/** A function of the slow path may give the lock without sleep, within the time of an optimistic spin. */
const shortNanoseconds = 50_000;

/**
 * The waits of one process for its own mmap_lock, by the contention tracepoints: how many, for how long, and how many of
 * them took less than the spin that they may end in. Other rwsems of it are locks of VMAs (6.4 to 6.13).
 */
const ownWaits = (name: string): string => {
  const offset = parseBtf(readFileSync('/sys/kernel/btf/vmlinux')).memberOffset('mm_struct', 'mmap_lock');
  const isOwn = `(uint64)args->lock_addr == (uint64)curtask->mm + ${offset}`;
  return `
    tracepoint:lock:contention_begin /comm == "${name}" && (args->flags == 2 || args->flags == 4)/ {
      if (${isOwn}) { @own_since[tid] = nsecs; } else { @other_locks = count(); }
    }
    tracepoint:lock:contention_end /@own_since[tid] != 0/ {
      if (${isOwn}) {
        $ns = (uint64)nsecs - (uint64)@own_since[tid];
        @own_waits = count();
        @own_ns = sum($ns);
        if ($ns < ${shortNanoseconds}) { @own_short = count(); }
        delete(@own_since[tid]);
      }
    }`;
};

/**
 * @param part of what perf counts that must be counted: by kprobes only waits in which the thread slept are waits, and
 *   perf counts those as well that had the lock before they came to sleep
 */
export const writersAlone = (
  daemon: RunningDaemon,
  { expect }: Entry,
  { name = 'wr-alone', part = 1 }: { name?: string; part?: number } = {},
): Scenario => ({
  name: 'writers alone',
  probes: ownWaits(name),
  play: async () => {
    const args = ['--threads', String(threads), '--seconds', '3', '--name', name];
    // What was before has settled: each scenario ends so.
    const before = await daemon.metrics();
    const writers = await runWorkload('writers', args, { gate: true });
    await writers.ready;
    const perf = await timed('start of perf', () => perfCount({ pid: writers.pid }));
    writers.release();
    await writers.done;
    const seen = await timed('end of perf', () => perf.stop());
    const metrics = await daemon.settled();
    const counted = total(metrics, 'process_waits_total', { process: name });
    const seconds = total(metrics, 'process_wait_seconds_total', { process: name });
    return (maps) => {
      const [own = 0, ns = 0, short = 0] = ['@own_waits', '@own_ns', '@own_short'].map((map) =>
        Number(maps[map] ?? 0),
      );
      const apart = (seconds * 1e6 - ns / 1e3) / Math.max(1, counted);
      const same =
        `${own} waits of ${(ns / 1e9).toFixed(4)} s by the tracepoints, ${short} under 50 us; ` +
        `${counted} of ${seconds.toFixed(4)} s counted, ${apart.toFixed(2)} us a wait apart`;
      figure(`the same waits (${name})`, same);
      if (part === 1)
        check(
          `waits (${name}): those of the tracepoints within 2 %, but for the short ones`,
          counted <= own + threads && counted >= own - short - Math.max(threads, 0.02 * own),
          same,
        );
      const others = Number(maps['@other_locks'] ?? 0);
      // perf leaves a task before its last waits, those of do_exit().
      // By fentry a wait counts only if the thread slept; perf also counts those, short ones, that had the lock before.
      const slack = Math.max(threads, 0.02 * seen) + short;
      const ofVmas = expect.vmaLockIsRwsem ? `, ${others} of them for locks of VMAs` : '';
      const told = `${counted} waits, perf ${seen}${ofVmas}`;
      const truth = seen - others;
      const what = part === 1 ? 'as many as perf counts' : 'those of perf in which the thread slept';
      const agrees = counted <= truth + slack && counted >= part * truth - slack;
      check(`waits (${name}): ${what}`, seen > 20 && agrees, told);
      figure(`waits of two writers (${name})`, told);
      for (const family of ['blocks_total', 'block_seconds_total', 'proc_read_retries_total']) {
        const grown = total(metrics, family) - total(before, family);
        check(`no reader (${name}): mmaplock_${family} stands still`, grown === 0, `it grew by ${grown}`);
      }
    };
  },
});
