/** 64 threads that wait for one lock at the same time: a writer, and page faults behind it. */
import { type Metrics, type RunningDaemon, runCli } from '../../live/support/daemon.js';
import { runWorkload } from '../../live/support/workload.js';
import type { Entry } from './entry.js';
import { check, figure } from './report.js';
import { total } from './scenarios.js';
import { patience } from './start.js';

const faulters = 63;
const holdSeconds = 3;

/** Waits over 2.1 s so far, of anybody: those of the crowd, and no others in these seconds. */
const longWaits = (metrics: Metrics): number =>
  total(metrics, 'wait_duration_seconds_count') -
  total(metrics, 'wait_duration_seconds_bucket', { le: '2.097152' });

/** The lock is held until all of them wait, so how many waits there are is known before. */
export const crowd = async (daemon: RunningDaemon, { expect }: Entry): Promise<void> => {
  const start = await daemon.metrics();
  const before = longWaits(start);
  const args = ['--hold-ms', `${holdSeconds * 1000}`, '--faulters', `${faulters}`];
  const stopper = await runWorkload('stopper', args);
  const [, pid] = await stopper.said(/^holding (\d+) /);
  const result = await stopper.done;
  const metrics = await daemon.settled();
  const counted = longWaits(metrics) - before;
  const seconds = total(metrics, 'process_wait_seconds_total', { process: 'stopper' });
  const truth = (result.faults.sum_ns + result.writer_wait_ns) / 1e9;
  const told = `${counted} of ${faulters + 1} waits, ${seconds.toFixed(3)} of ${truth.toFixed(3)} s (pid ${pid})`;
  figure('64 threads that wait at once', told);
  if (expect.functions === 'kprobe') {
    const lost = total(metrics, 'lost_events_total') - total(start, 'lost_events_total');
    check(
      '64 waits at once: what kprobes miss is told as lost',
      counted + lost >= faulters + 1,
      `${told}, ${lost} lost`,
    );
    const { stdout } = await runCli(['check', '--json', ...patience]);
    const { limits, observables } = JSON.parse(stdout);
    const said = limits.some(({ code }: { code: string }) => code === 'waits_at_once');
    check('64 waits at once: where kprobes have no room for them, check says so', said, told);
    const { source } = observables[0];
    check('check tells the source that runs', source === 'contention-kprobe', source);
    return;
  }
  check('64 waits at once: all are counted', counted === faulters + 1, told);
  check('64 waits at once: for as long as they took', Math.abs(seconds / truth - 1) <= 0.02, told);
};
