/** How long a reader that holds mmap_lock blocks a writer, held against what the writer itself slept. */
import type { RunningDaemon } from '../../live/support/daemon.js';
import { runWorkload, type WritersResult } from '../../live/support/workload.js';
import type { Entry } from './entry.js';
import { check, figure } from './report.js';
import { total } from './scenarios.js';

const seconds = 10;
const mostRounds = 4;
const victim = 'wr-blocked';
const single = ['--threads', '1', '--vmas', '500', '--pin', '0'];

/** Seconds of the calls that take the lock, beyond what as many took without a reader. */
const addedSeconds = (writers: WritersResult, alone: WritersResult): number =>
  (['mmap', 'mprotect', 'munmap'] as const).reduce((sum, op) => {
    const usual = alone.ops[op].sum_ns / alone.ops[op].count;
    return sum + (writers.ops[op].sum_ns - writers.ops[op].count * usual) / 1e9;
  }, 0);

/** One writer and one reader of its maps, pinned apart. A wait too short to queue is in the added latency alone. */
export const blockedTime = async (daemon: RunningDaemon, { expect }: Entry): Promise<void> => {
  if (expect.paths.maps !== 'mmap_lock') return;
  const quiet = await runWorkload('writers', [...single, '--seconds', '3', '--name', 'wr-usual']);
  const alone = await quiet.done;
  // An emulator gives its processors turns of 100 ms each: one round is noisy, their sum is less so.
  let [slept, added, blocked, rounds] = [0, 0, 0, 0];
  const holds = (): boolean => 0.95 * slept <= blocked && blocked <= 1.05 * added;
  do {
    const result = await oneRound();
    slept += result.schedstat.slept_ns / 1e9;
    added += addedSeconds(result, alone);
    blocked = total(await daemon.settled(), 'reader_block_seconds_total', {
      file: 'maps',
      reader: 'by-maps',
      victim,
    });
    rounds += 1;
  } while (!holds() && rounds < mostRounds);
  const told =
    `slept ${slept.toFixed(3)} s, blocked ${blocked.toFixed(3)} s, added latency ${added.toFixed(3)} s` +
    (rounds === 1 ? '' : `, in ${rounds} rounds`);
  check('maps: blocked at least 0.95 x what the writer slept', 0.95 * slept <= blocked && slept > 0, told);
  check('maps: blocked at most 1.05 x what its calls took longer', blocked <= 1.05 * added, told);
  figure('writer-side truth', told);
};

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
