/**
 * The buffer between the probes and bpftrace is full, and events are lost: brought about by stopping who should empty
 * it. What bpftrace is to print is told by events, what was counted lies in the kernel: so a loss is told, and no count
 * suffers.
 */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { killLeftovers } from '../live/support/children.js';
import { type Metrics, type RunningDaemon, startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { runWorkload } from '../live/support/workload.js';
import { missedReads } from './support/misses.js';

const skip = lacking('root', 'tracing', 'bpftrace');

afterEach(killLeftovers);

/** One page for each CPU (bpftrace takes 64 by default): three ticks fit in. */
const smallBuffer = { BPFTRACE_PERF_RB_PAGES: '1' };
/** Neither a restart nor a lack of readiness is what this is about. */
const patient = ['--bpftrace.stall-seconds=60', '--bpftrace.stall-restart-seconds=120'];
const names = ['lost-a', 'lost-b', 'lost-c'] as const;

const lost = (metrics: Metrics): number => metrics.sum('mmaplock_lost_events_total') ?? 0;

/** Readers of known counts, at work until they are stopped. */
const startReaders = async () => {
  const target = await runWorkload('writers', ['--vmas', '100', '--seconds', '300'], { gate: true });
  await target.ready;
  const readers = await Promise.all(
    names.map(async (name) => {
      const args = ['maps', String(target.pid), '--name', name, '--pause-us', '500', '--seconds', '300'];
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
const pause = async (pid: number, milliseconds: number): Promise<void> => {
  process.kill(pid, 'SIGSTOP');
  await sleep(milliseconds);
  process.kill(pid, 'SIGCONT');
};

/** After a standstill the first tick is of before: it takes one more than usual until all is counted. */
const settledAfterPause = async (daemon: RunningDaemon): Promise<Metrics> => {
  await daemon.settled();
  return daemon.settled();
};

/** What the daemon counted in the end is what the readers counted, by name and in all. */
const assertExact = (
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

const restarts = (metrics: Metrics): number => metrics.sum('mmaplock_tracer_restarts_total') ?? 0;

const assertTold = (daemon: RunningDaemon, metrics: Metrics): void => {
  assert.ok(lost(metrics) > 0, 'no event was lost');
  assert.ok(
    daemon.log.some(({ msg, events }) => msg === 'bpftrace lost events' && Number(events) > 0),
    'the log tells it',
  );
};

test('bpftrace stands still, its buffer is full: what is lost is told, and the counts are exact', {
  skip,
}, async (t) => {
  const daemon = await startDaemon({ args: patient, env: smallBuffer });
  const before = await daemon.ready(60);
  const readers = await startReaders();
  const tracer = await daemon.tracerPid();
  const rounds: number[] = [];
  for (const milliseconds of [7000, 8300, 9700]) {
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
});

test('the daemon itself stands still for 10 s: nothing is lost, and nothing started again', {
  skip,
}, async (t) => {
  const daemon = await startDaemon();
  const before = await daemon.ready(60);
  const readers = await startReaders();
  const tracer = await daemon.tracerPid();
  await pause(daemon.pid, 10_000);
  const truths = await readers.stop();
  const after = await settledAfterPause(daemon);
  t.diagnostic(JSON.stringify({ lost: lost(after), truths, misses: missedReads(after) }));
  assert.equal(lost(after), 0, 'the pipe and the buffer hold what bpftrace prints in 10 s');
  assertExact(before, after, truths);
  assert.equal(await daemon.tracerPid(), tracer);
  assert.equal(restarts(after), 0);
  assert.equal(await daemon.stop(), 0);
});

test('the daemon stands still until the pipe is full, and bpftrace with it: told, and the counts are exact', {
  skip,
}, async (t) => {
  const daemon = await startDaemon({ args: patient, env: smallBuffer });
  const before = await daemon.ready(60);
  // Many names make long ticks: the pipe holds 64 KiB.
  const crowd = await runWorkload('spawner', ['--count', '300', '--distinct', '300', '--name', 'crowd-']);
  await crowd.done;
  const readers = await startReaders();
  await daemon.settled();
  await pause(daemon.pid, 15_000);
  const truths = await readers.stop();
  const after = await settledAfterPause(daemon);
  t.diagnostic(JSON.stringify({ lost: lost(after), truths, misses: missedReads(after) }));
  assertTold(daemon, after);
  assertExact(before, after, truths);
  assert.equal(restarts(after), 0);
  assert.equal(await daemon.stop(), 0);
});
