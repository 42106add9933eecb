/** However many names there are: series, memory and maps keep their bounds, and by name it is as much as in all. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Metrics, RunningDaemon } from '../../live/support/daemon.js';
import { runWorkload, type Workload } from '../../live/support/workload.js';
import { seriesCount } from '../../support/exposition.js';
import { assertEquations } from './equations.js';
import { resourcesOf } from './resources.js';

const mib = 1024 * 1024;
/** README's bound. */
const mostSeries = 1500;
/** limits.map_memory_mib by default. */
const mostMapBytes = 64 * mib;
/** What the ledger may keep of names: a thousand candidates a family, and rows of the lists. */
const mostGrowth = 64 * mib;

const mapBytes = (metrics: Metrics): number => metrics.sum('mmaplock_tracer_map_memory_bytes') ?? 0;

interface Extremes {
  series: number;
  daemonBytes: number;
  tracerBytes: number;
  mapBytes: number;
}

/** Looks once a tick while a load goes on; the equations are held at each scrape. */
const watch = async <Result>(
  context: TestContext,
  daemon: RunningDaemon,
  load: Workload<Result>,
): Promise<{ readonly last: Metrics; readonly result: Result }> => {
  const before = await resourcesOf(daemon.pid);
  const most: Extremes = { series: 0, daemonBytes: 0, tracerBytes: 0, mapBytes: 0 };
  let scrapes = 0;
  const look = async (): Promise<Metrics> => {
    const metrics = await daemon.settled();
    scrapes += 1;
    assertEquations(metrics, `scrape ${scrapes}`);
    most.series = Math.max(most.series, seriesCount(metrics.text));
    most.daemonBytes = Math.max(most.daemonBytes, (await resourcesOf(daemon.pid)).residentBytes);
    const tracerBytes = metrics.sum('mmaplock_tracer_resident_memory_bytes') ?? 0;
    most.tracerBytes = Math.max(most.tracerBytes, tracerBytes);
    most.mapBytes = Math.max(most.mapBytes, mapBytes(metrics));
    return metrics;
  };
  let ended = false;
  load.release();
  const done = load.done.finally(() => {
    ended = true;
  });
  while (!ended) await look();
  const result = await done;
  // The daemon looks every 10 s.
  await daemon.until('the maps are measured', (now) => mapBytes(now) > 0);
  const last = await look();
  const growth = most.daemonBytes - before.residentBytes;
  context.diagnostic(JSON.stringify({ scrapes, ...most, growth }));
  // A fast host is through with its load after some ticks.
  assert.ok(scrapes >= 2, `${scrapes} scrapes`);
  assert.ok(most.series <= mostSeries, `${most.series} series, where ${mostSeries} are allowed`);
  assert.ok(most.mapBytes > 0 && most.mapBytes <= mostMapBytes, `${most.mapBytes} bytes of maps`);
  assert.ok(growth <= mostGrowth, `the daemon grew by ${growth} bytes, to ${most.daemonBytes}`);
  return { last, result };
};

export const total = (
  metrics: Metrics,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number => metrics.sum(`mmaplock_${name}_total`, labels) ?? 0;

/** So many names in waits, more than a map of this daemon has keys. */
export const manyWaiters = async (t: TestContext, daemon: RunningDaemon, names: number): Promise<void> => {
  // Two threads that contend, and a process that takes another name after every few cycles: two of five names wait.
  const load = ['--seconds', '3600', '--bytes', '4096', '--name', 'w-', '--names', String(names)];
  const writers = await runWorkload('writers', load, { gate: true });
  await writers.ready;
  const before = await daemon.settled();
  const { last, result } = await watch(t, daemon, writers);
  const waits = total(last, 'waits') - total(before, 'waits');
  const overflows = last.sum('mmaplock_map_overflows_total', { map: 'process_waits' }) ?? 0;
  t.diagnostic(JSON.stringify({ waits, overflows, folded: total(last, 'series_folded') }));
  assert.equal(result.names, names);
  assert.ok(total(last, 'process_waits', { process: '~other' }) > waits / 2);
  assert.ok(overflows > 0, 'there were more names than a map has keys');
};

/** So many processes that each read smaps once under a name of their own, and block. */
export const manyReaders = async (t: TestContext, daemon: RunningDaemon, names: number): Promise<void> => {
  const size = ['--threads', '1', '--vmas', '100', '--vma-bytes', '65536'];
  const writers = await runWorkload('writers', [...size, '--seconds', '3600', '--name', 'wr-bounds']);
  await writers.ready;
  const spawner = await runWorkload(
    'spawner',
    [
      ...['--count', String(names), '--distinct', String(names), '--name', 'r-'],
      ...['--read', 'smaps', '--target', String(writers.pid)],
    ],
    { gate: true },
  );
  await spawner.ready;
  const before = await daemon.settled();
  const { last, result } = await watch(t, daemon, spawner);
  await writers.stop();
  const grown = (name: string): number => {
    const labels = { file: 'smaps' };
    return total(last, name, labels) - total(before, name, labels);
  };
  const misses = last.sum('mmaplock_probe_misses_total') ?? 0;
  const restarts = last.sum('mmaplock_tracer_restarts_total') ?? 0;
  const seen = { opens: grown('proc_opens'), reads: grown('proc_reads'), blocks: grown('blocks') };
  t.diagnostic(JSON.stringify({ ...seen, misses, restarts, folded: total(last, 'series_folded') }));
  assert.equal(result.failed, 0);
  assert.ok(seen.reads <= result.reads && seen.opens <= names);
  if (restarts === 0) {
    assert.ok(seen.opens + misses >= names, `${seen.opens} opens and ${misses} misses`);
    assert.ok(
      seen.reads + misses >= result.reads,
      `${seen.reads} reads and ${misses} misses of ${result.reads}`,
    );
  }
  assert.ok(seen.blocks > names / 100, `${seen.blocks} blocks`);
  assert.ok(total(last, 'reader_reads', { file: 'smaps', reader: '~other' }) > names / 2);
};
