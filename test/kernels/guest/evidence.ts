/** Which of two readers blocks a writer how much: by windows, and by the real holds that inspect mode sees. */
import { existsSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { longestInspectSeconds } from '../../../src/watch/inspector.js';
import type { RunningDaemon } from '../../live/support/daemon.js';
import { inspectShares, writerAndReaders } from '../../live/support/inspect.js';
import { assertTimely } from '../../support/timing.js';
import { check, figure } from './report.js';
import { total } from './scenarios.js';
import { timely } from './timely.js';

const shares = 'two readers: shares by windows are within 10 points of those by real holds';

const autogroups = '/proc/sys/kernel/sched_autogroup_enabled';

/**
 * The load gives way to whoever wants the CPU, as bpftrace does that compiles the program of inspect mode: three
 * processes that never rest made that five times as long. Children have the priority of this process.
 */
const atLowPriority = async <Result>(start: () => Promise<Result>): Promise<Result> => {
  // Otherwise a priority counts within a session only, and every bpftrace has one of its own.
  if (existsSync(autogroups)) writeFileSync(autogroups, '0');
  setPriority(constants.priority.PRIORITY_LOW);
  try {
    return await start();
  } finally {
    setPriority(constants.priority.PRIORITY_NORMAL);
  }
};

/** @param token of the daemon's inspect API */
export const evidence = async (daemon: RunningDaemon, token: string): Promise<void> => {
  const victim = await atLowPriority(() =>
    writerAndReaders('wr-evidence', ['--threads', '1', '--vmas', '500'], 600),
  );
  const options = { token, seconds: longestInspectSeconds, victim };
  await timely(shares, async () => {
    const { answer, real, seen, seconds } = await inspectShares(daemon, options);
    const told = `smaps_rollup has ${seen.toFixed(1)} % by windows, ${real.toFixed(1)} % of ${seconds.toFixed(2)} s by real holds`;
    figure('two readers', told);
    check('two readers: both held the lock', seconds > 0.05, told);
    check(
      'inspect mode tells where in the kernel the writers stood',
      answer.kernel_stacks.some(({ frames }) => frames.some((name) => /munmap|mmap|mprotect/.test(name))),
      JSON.stringify(answer.kernel_stacks).slice(0, 500),
    );
    assertTimely(Math.abs(seen - real) <= 10, told);
  });
  await victim.stop();
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
};
