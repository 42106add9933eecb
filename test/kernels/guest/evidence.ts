/** Which of two readers blocks a writer how much: by windows, and by the real holds that inspect mode sees. */
import type { RunningDaemon } from '../../live/support/daemon.js';
import { inspectShares } from '../../live/support/inspect.js';
import { runWorkload } from '../../live/support/workload.js';
import type { Entry } from './entry.js';
import { check, figure } from './report.js';
import { total } from './scenarios.js';

const victim = 'wr-evidence';
const single = ['--threads', '1', '--vmas', '500', '--pin', '0', '--seconds', '600'];

/** @param token of the daemon's inspect API; undefined where it is not on */
export const evidence = async (
  daemon: RunningDaemon,
  { expect }: Entry,
  token: string | undefined,
): Promise<void> => {
  if (!expect.inspect || token === undefined) return;
  const writers = await runWorkload('writers', [...single, '--name', victim], { gate: true });
  await writers.ready;
  const readers = [];
  for (const [file, name] of [
    ['smaps_rollup', 'reader-a'],
    ['smaps', 'reader-b'],
  ] as const) {
    const reader = await runWorkload(
      'proc-reader',
      [file, String(writers.pid), '--name', name, '--pin', '1', '--seconds', '600'],
      { gate: true },
    );
    await reader.ready;
    readers.push(reader);
  }
  for (const { release } of [writers, ...readers]) release();
  const { answer, real, seen, seconds } = await inspectShares(daemon, {
    token,
    seconds: 10,
    victim: { pid: writers.pid, name: victim },
    readers: ['reader-a', 'reader-b'],
  });
  for (const { stop } of [writers, ...readers]) await stop();

  const told = `smaps_rollup has ${seen.toFixed(1)} % by windows, ${real.toFixed(1)} % of ${seconds.toFixed(2)} s by real holds`;
  check(
    'two readers: shares by windows are within 10 points of those by real holds',
    Math.abs(seen - real) <= 10,
    told,
  );
  check('two readers: both held the lock', seconds > 0.05, told);
  check(
    'inspect mode tells where in the kernel the writers stood',
    answer.kernel_stacks.some(({ frames }) => frames.some((name) => /munmap|mmap|mprotect/.test(name))),
    JSON.stringify(answer.kernel_stacks).slice(0, 500),
  );
  const metrics = await daemon.settled();
  const [blocked, unblocked, waited] = [
    total(metrics, 'block_seconds_total'),
    total(metrics, 'unblocked_wait_seconds_total'),
    total(metrics, 'wait_seconds_total'),
  ].map((value) => value.toFixed(9));
  check(
    'two readers: shares, ~unknown and unblocked waits are all waits, to the nanosecond',
    (Number(blocked) + Number(unblocked)).toFixed(9) === waited,
    `${blocked} + ${unblocked}, ${waited}`,
  );
  figure('two readers', told);
};
