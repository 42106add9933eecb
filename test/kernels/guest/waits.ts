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

/** Contended rwsems of one process that are not its mmap_lock: locks of VMAs, from 6.4 to 6.13. */
const otherLocks = (name: string): string => {
  const offset = parseBtf(readFileSync('/sys/kernel/btf/vmlinux')).memberOffset('mm_struct', 'mmap_lock');
  return `
    tracepoint:lock:contention_begin
    /comm == "${name}" && (args->flags == 2 || args->flags == 4) &&
     (uint64)args->lock_addr != (uint64)curtask->mm + ${offset}/
    { @other_locks = count(); }`;
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
  probes: expect.vmaLockIsRwsem ? otherLocks(name) : '',
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
    return (maps) => {
      const others = Number(maps['@other_locks'] ?? 0);
      // perf leaves a task before its last waits, those of do_exit().
      const slack = Math.max(threads, expect.vmaLockIsRwsem ? 0.02 * seen : 0);
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
