/** Which of two readers blocks a writer how much: by windows, and by the real holds that inspect mode sees. */
import type { RunningDaemon } from '../../live/support/daemon.js';
import { inspectShares, writerAndReaders } from '../../live/support/inspect.js';
import type { Entry } from './entry.js';
import { check, figure } from './report.js';
import { total } from './scenarios.js';

/** @param token of the daemon's inspect API; undefined where it is not on */
export const evidence = async (
  daemon: RunningDaemon,
  { expect }: Entry,
  token: string | undefined,
): Promise<void> => {
  if (!expect.inspect || token === undefined) return;
  const victim = await writerAndReaders('wr-evidence', ['--threads', '1', '--vmas', '500'], 600);
  const { answer, real, seen, seconds } = await inspectShares(daemon, { token, seconds: 10, victim });
  await victim.stop();

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
