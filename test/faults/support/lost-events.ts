/**
 * Losses of events brought about by stopping who should empty the buffer between the probes and bpftrace, and readers of
 * known counts meanwhile. What bpftrace is to print is told by events, what was counted lies in the kernel: so a loss is
 * told, and no count suffers.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Metrics, type RunningDaemon, startDaemon } from '../../live/support/daemon.js';
import { runWorkload } from '../../live/support/workload.js';
import { missedReads } from './misses.js';

/** One page for each CPU (bpftrace takes 64 by default): three ticks fit in. */
export const smallBuffer = { BPFTRACE_PERF_RB_PAGES: '1' };
/** Neither a restart nor a lack of readiness is what this is about. */
export const patient = ['--bpftrace.stall-seconds=60', '--bpftrace.stall-restart-seconds=120'];
const names = ['lost-a', 'lost-b', 'lost-c'] as const;

export const lost = (metrics: Metrics): number => metrics.sum('mmaplock_lost_events_total') ?? 0;

/** Readers of known counts, at work until they are stopped. */
export const startReaders = async () => {
  const target = await runWorkload('writers', ['--vmas', '100', '--seconds', '600'], { gate: true });
  await target.ready;
  const readers = await Promise.all(
    names.map(async (name) => {
      const args = ['maps', String(target.pid), '--name', name, '--pause-us', '500', '--seconds', '600'];
      return { name, workload: await runWorkload('proc-reader', args) };
    }),
  );
  return {
    /** What each of them counted of itself. */
    stop: async () => {
      const truths = [];
      for (const { name, workload } of readers) {
        const { opens, reads } = await workload.stop();
        truths.push({ name, opens, reads });
      }
      await target.stop();
      return truths;
    },
  };
};

/** Stops a process for so long. */
export const pause = async (pid: number, milliseconds: number): Promise<void> => {
  process.kill(pid, 'SIGSTOP');
  await sleep(milliseconds);
  process.kill(pid, 'SIGCONT');
};

/** After a standstill the first tick is of before: it takes one more than usual until all is counted. */
export const settledAfterPause = async (daemon: RunningDaemon): Promise<Metrics> => {
  await daemon.settled();
  return daemon.settled();
};

/** What the daemon counted in the end is what the readers counted, by name and in all. */
export const assertExact = (
  before: Metrics,
  after: Metrics,
  truths: Awaited<ReturnType<Awaited<ReturnType<typeof startReaders>>['stop']>>,
): void => {
  const misses = missedReads(after) - missedReads(before);
  for (const what of ['opens', 'reads'] as const) {
    for (const truth of truths) {
      const labels = { file: 'maps', reader: truth.name };
      const counted = after.sum(`mmaplock_reader_${what}_total`, labels) ?? 0;
      assert.ok(
        counted <= truth[what] && counted >= truth[what] - misses,
        `${truth.name}: ${counted} of ${truth[what]} ${what}, ${misses} missed`,
      );
    }
    const total = after.sum(`mmaplock_proc_${what}_total`, { file: 'maps' });
    assert.equal(total, after.sum(`mmaplock_reader_${what}_total`, { file: 'maps' }));
  }
};

export const restarts = (metrics: Metrics): number => metrics.sum('mmaplock_tracer_restarts_total') ?? 0;

export const assertTold = (daemon: RunningDaemon, metrics: Metrics): void => {
  assert.ok(lost(metrics) > 0, 'no event was lost');
  assert.ok(
    daemon.log.some(({ msg, events }) => msg === 'bpftrace lost events' && Number(events) > 0),
    'the log tells it',
  );
};

/** Stops bpftrace for so many milliseconds each time, long enough for its buffer to be full. */
export const stopTracer = async (t: TestContext, pauses: readonly number[]): Promise<void> => {
  const daemon = await startDaemon({ args: patient, env: smallBuffer });
  const before = await daemon.ready(60);
  const readers = await startReaders();
  const tracer = await daemon.tracerPid();
  const rounds: number[] = [];
  for (const milliseconds of pauses) {
    await pause(tracer, milliseconds);
    // The kernel tells of a loss with the next event for which there is room again: with the next tick.
    const told = await daemon.until('the loss is told', (now) => lost(now) > (rounds.at(-1) ?? 0));
    rounds.push(lost(told));
  }
  const truths = await readers.stop();
  const after = await settledAfterPause(daemon);
  t.diagnostic(JSON.stringify({ lost: rounds, truths, misses: missedReads(after) }));
  assertTold(daemon, after);
  assertExact(before, after, truths);
  const { body } = await daemon.get<{ tracer: { lost_events_total: number } }>('/api/v1/status');
  assert.equal(body.tracer.lost_events_total, lost(after));
  assert.equal(restarts(after), 0, 'it is the same tracer all the time');
  assert.equal(await daemon.stop(), 0);
};
