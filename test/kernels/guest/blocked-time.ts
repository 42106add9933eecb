/** How long a reader that holds mmap_lock blocks a writer, held against what the writer itself slept. */
import type { RunningDaemon } from '../../live/support/daemon.js';
import { runWorkload, type WritersResult } from '../../live/support/workload.js';
import { assertTimely } from '../../support/timing.js';
import { figure } from './report.js';
import { total } from './scenarios.js';
import type { Scenario } from './second-opinion.js';

const seconds = 4;
/** An emulator gives its processors turns of 100 ms each: one round is noisy, their sum is less so. */
const rounds = 2;
const victim = 'wr-blocked';
const single = ['--threads', '1', '--vmas', '500', '--pin', '0'];

/** Seconds of the calls that take the lock, beyond what as many took without a reader. */
const addedSeconds = (writers: WritersResult, alone: WritersResult): number =>
  (['mmap', 'mprotect', 'munmap'] as const).reduce((sum, op) => {
    const usual = alone.ops[op].sum_ns / alone.ops[op].count;
    return sum + (writers.ops[op].sum_ns - writers.ops[op].count * usual) / 1e9;
  }, 0);

/**
 * Nanoseconds from the moment in which a writer that waits is woken to that in which its CPU takes note, which the
 * scheduler counts as sleep, too. Nothing usually; an emulated CPU takes 1 to 4 ms to wake up.
 */
const beingWoken = `
  tracepoint:lock:contention_begin /comm == "${victim}" && args->flags == 4/ { @waits[tid] = 1; }
  tracepoint:lock:contention_end /@waits[tid]/ { delete(@waits[tid]); }
  tracepoint:sched:sched_waking /@waits[args->pid] && !@woken[args->pid]/ { @woken[args->pid] = nsecs; }
  tracepoint:sched:sched_wakeup /@woken[args->pid]/
    { @waking_ns = sum(nsecs - @woken[args->pid]); delete(@woken[args->pid]); }`;

/**
 * One writer and one reader of its maps, pinned apart. A wait too short to queue is in the added latency alone. Only
 * where maps is read under mmap_lock.
 */
export const blockedTime = (daemon: RunningDaemon): Scenario => ({
  name: 'blocked time',
  probes: beingWoken,
  triedAgain: 'maps: blocked for 0.95 x what the writer slept to 1.05 x what its calls took longer',
  play: async () => {
    const labels = { file: 'maps', reader: 'by-maps', victim };
    const before = total(await daemon.metrics(), 'reader_block_seconds_total', labels);
    const quiet = await runWorkload('writers', [...single, '--seconds', '2', '--name', 'wr-usual']);
    const alone = await quiet.done;
    let [slept, added] = [0, 0];
    for (let round = 0; round < rounds; round += 1) {
      const result = await oneRound();
      slept += result.schedstat.slept_ns / 1e9;
      added += addedSeconds(result, alone);
    }
    const blocked = total(await daemon.settled(), 'reader_block_seconds_total', labels) - before;
    return (maps) => {
      const waking = Number(maps['@waking_ns'] ?? 0) / 1e9;
      const told =
        `slept ${slept.toFixed(3)} s, ${waking.toFixed(3)} s of it woken already, ` +
        `blocked ${blocked.toFixed(3)} s, added latency ${added.toFixed(3)} s`;
      figure('writer-side truth', told);
      const asleep = slept - waking;
      assertTimely(asleep > 0 && 0.95 * asleep <= blocked && blocked <= 1.05 * added, told);
    };
  },
});

/** Both at once; gives what the writer says of itself. */
const oneRound = async (): Promise<WritersResult> => {
  const args = [...single, '--seconds', String(seconds), '--name', victim];
  const writers = await runWorkload('writers', args, { gate: true });
  await writers.ready;
  const reader = await runWorkload(
    'proc-reader',
    ['maps', String(writers.pid), '--name', 'by-maps', '--pin', '1', '--seconds', String(seconds)],
    { gate: true },
  );
  await reader.ready;
  writers.release();
  reader.release();
  const [result] = await Promise.all([writers.done, reader.done]);
  return result;
};
