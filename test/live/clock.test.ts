/** The time of day is set by 400 days, and back, while a tracer runs and while there is none. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { killLeftovers } from './support/children.js';
import { gone, type Metrics, type RunningDaemon, startDaemon } from './support/daemon.js';
import { lacking } from './support/host.js';
import { patience } from './support/patience.js';
import { runWorkload } from './support/workload.js';

const days = 400 * 86_400;

const blindSeconds = (metrics: Metrics): number => metrics.sum('mmaplock_blind_seconds_total') ?? 0;

interface History {
  readonly as_of: string;
  readonly columns: readonly { readonly at: string; readonly observed_seconds: number }[];
}

/** What the daemon shows of time, in seconds that its time of day is ahead of that of this process. */
const shown = async (daemon: RunningDaemon) => {
  const ahead = (time: string): number => (Date.parse(time) - Date.now()) / 1000;
  const { body: history } = await daemon.get<History>('/api/v1/history');
  const { body: readers } = await daemon.get<{ data: { last_seen_at: string }[] }>(
    '/api/v1/readers?since=2m&reader=clock-reader',
  );
  return {
    asOf: ahead(history.as_of),
    column: ahead(history.columns.at(-1)!.at),
    observed: history.columns.reduce((sum, column) => sum + column.observed_seconds, 0),
    readers: readers.data.map(({ last_seen_at }) => ahead(last_seen_at)),
  };
};

const near = (value: number, expected: number, within: number, what: string): void =>
  assert.ok(Math.abs(value - expected) <= within, `${what}: ${value} s ahead, ${expected} s expected`);

after(killLeftovers);

test('a time of day that is set makes nothing blind, late, or of the future', {
  skip: lacking('root', 'tracing', 'bpftrace'),
  timeout: patience(180),
}, async (t) => {
  const preload = new URL('./support/set-clock.js', import.meta.url).href;
  const daemon = await startDaemon({ env: { NODE_OPTIONS: `--import=${preload}` } });
  await daemon.ready();
  const reader = await runWorkload('proc-reader', [
    'maps',
    'self',
    '--passes',
    '5',
    '--name',
    'clock-reader',
  ]);
  await reader.done;
  const set = () => process.kill(daemon.pid, 'SIGUSR2');
  const tickAt = (metrics: Metrics): number => metrics.sum('mmaplock_last_tick_timestamp_seconds') ?? 0;
  /** Until some more ticks have come, each of the time of day as it is now. */
  const ticksOf = (ahead: number) => {
    const from = Date.now() / 1000;
    return daemon.until('ticks', (now) => tickAt(now) > from + ahead + 3 && tickAt(now) < from + ahead + 600);
  };
  const before = blindSeconds(await ticksOf(0));
  const at = await shown(daemon);
  near(at.asOf, 0, 10, 'as_of before');

  const killTracer = async () => {
    const tracer = await daemon.tracerPid();
    process.kill(tracer, 'SIGKILL');
    await gone(tracer);
  };
  const isOfAStart = (seconds: number): void =>
    assert.ok(seconds > 0 && seconds < patience(60) / 1000, `blind for ${seconds} s while a tracer started`);

  await killTracer();
  set();
  const forward = blindSeconds(await ticksOf(days));
  await daemon.ready();
  const then = await shown(daemon);
  t.diagnostic(JSON.stringify({ before, forward, at, then }));
  isOfAStart(forward - before);
  near(then.asOf, days, 10, 'as_of');
  near(then.column, days, 20, 'the last column');
  assert.ok(then.observed > at.observed, `the history goes on: ${at.observed} s, ${then.observed} s`);
  assert.equal(then.readers.length, 1, 'who was seen in the last two minutes still was');
  near(then.readers[0]!, days, 120, 'the reader');

  await killTracer();
  set();
  const back = blindSeconds(await ticksOf(0));
  await daemon.ready();
  const last = await shown(daemon);
  t.diagnostic(JSON.stringify({ back, last }));
  isOfAStart(back - forward);
  near(last.asOf, 0, 10, 'as_of after');
  near(last.column, 0, 20, 'the last column after');
  assert.ok(last.observed > then.observed, `the history goes on: ${then.observed} s, ${last.observed} s`);
  assert.equal(await daemon.stop(), 0);
});
