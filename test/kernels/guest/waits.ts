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

/**
 * The waits of one process for its own mmap_lock, by the contention tracepoints: how many, for how long, and in how many
 * of them the thread was never switched out: it was about to sleep when it got the lock. Other rwsems of it are locks of
 * VMAs (6.4 to 6.13).
 */
const ownWaits = (name: string): string => {
  const btf = parseBtf(readFileSync('/sys/kernel/btf/vmlinux'));
  const isOwn = `(uint64)args->lock_addr == (uint64)curtask->mm + ${btf.memberOffset('mm_struct', 'mmap_lock')}`;
  const switches = `*(uint64*)((uint64)curtask + ${btf.memberOffset('task_struct', 'nvcsw')})`;
  return `
    tracepoint:lock:contention_begin /comm == "${name}" && (args->flags == 2 || args->flags == 4)/ {
      if (${isOwn}) { @own_since[tid] = nsecs; @own_switches[tid] = ${switches}; } else { @other_locks = count(); }
    }
    tracepoint:lock:contention_end /@own_since[tid] != 0/ {
      if (${isOwn}) {
        @own_waits = count();
        @own_ns = sum((uint64)nsecs - (uint64)@own_since[tid]);
        if (${switches} == @own_switches[tid]) { @own_awake = count(); }
        delete(@own_since[tid]);
        delete(@own_switches[tid]);
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
      const [own = 0, ns = 0, awake = 0] = ['@own_waits', '@own_ns', '@own_awake'].map((map) =>
        Number(maps[map] ?? 0),
      );
      const apart = (seconds * 1e6 - ns / 1e3) / Math.max(1, counted);
      const same =
        `${own} waits of ${(ns / 1e9).toFixed(4)} s by the tracepoints, ${awake} without a switch; ` +
        `${counted} of ${seconds.toFixed(4)} s counted, ${apart.toFixed(2)} us a wait apart`;
      figure(`the same waits (${name})`, same);
      if (part === 1)
        check(
          `waits (${name}): those of the tracepoints in which the thread slept, within 1 %`,
          counted <= own + threads && counted >= own - awake - Math.max(threads, 0.01 * own),
          same,
        );
      const others = Number(maps['@other_locks'] ?? 0);
      // perf leaves a task before its last waits, those of do_exit().
      // By fentry a wait counts only if the thread slept; perf also counts those that had the lock before.
      const slack = Math.max(threads, 0.02 * seen) + awake;
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
