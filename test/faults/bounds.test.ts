/** However many names there are: series, memory and maps keep their bounds, and by name it is as much as in all. */
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { killLeftovers } from '../live/support/children.js';
import { type Metrics, type RunningDaemon, startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { runWorkload, type Workload } from '../live/support/workload.js';
import { seriesCount } from '../support/exposition.js';
import { assertEquations } from './support/equations.js';
import { resourcesOf } from './support/resources.js';

const skip = lacking('root', 'tracing', 'bpftrace');

after(killLeftovers);

const mib = 1024 * 1024;
/** The bound, and README's. */
const mostSeries = 1500;
const usualSeries = 500;
/** limits.map_memory_mib by default. */
const mostMapBytes = 64 * mib;
/** What the ledger may keep of names: a thousand candidates a family, and rows of the lists. */
const mostGrowth = 64 * mib;
const names = 10_000;
/** Nothing is shed, so that all of it is counted. */
const args = ['--cost.budget-percent=0'];

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
    for (const [key, name] of [
      ['tracerBytes', 'mmaplock_tracer_resident_memory_bytes'],
      ['mapBytes', 'mmaplock_tracer_map_memory_bytes'],
    ] as const)
      most[key] = Math.max(most[key], metrics.sum(name) ?? 0);
    return metrics;
  };
  let ended = false;
  load.release();
  const done = load.done.finally(() => {
    ended = true;
  });
  while (!ended) await look();
  const result = await done;
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

const total = (metrics: Metrics, name: string, labels: Readonly<Record<string, string>> = {}): number =>
  metrics.sum(`mmaplock_${name}_total`, labels) ?? 0;

test('10,000 names of processes that wait', { skip }, async (t) => {
  const daemon = await startDaemon({ args });
  await daemon.ready();
  // Two threads that contend, and a process that takes another name for every few of their waits.
  const load = ['--seconds', '170', '--bytes', '4096', '--name', 'w-', '--names', String(names)];
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
  assert.equal(await daemon.stop(), 0);
});

test('10,000 names of readers of smaps, which block', { skip }, async (t) => {
  const daemon = await startDaemon({ args });
  await daemon.ready();
  const size = ['--threads', '1', '--vmas', '100', '--vma-bytes', '65536'];
  const writers = await runWorkload('writers', [...size, '--seconds', '600', '--name', 'wr-bounds']);
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
  assert.ok(seen.blocks > 100, `${seen.blocks} blocks`);
  assert.ok(total(last, 'reader_reads', { file: 'smaps', reader: '~other' }) > names / 2);
  assert.equal(await daemon.stop(), 0);
});

test('an ordinary load, as that of the demo, has fewer than 500 series', { skip }, async (t) => {
  const daemon = await startDaemon({ args });
  await daemon.ready();
  const writers = await runWorkload('writers', ['--vmas', '2000', '--seconds', '60', '--name', 'wr-usual']);
  await writers.ready;
  const files = ['maps', 'smaps'];
  const readers = [];
  for (const file of files)
    readers.push(
      await runWorkload('proc-reader', [
        file,
        String(writers.pid),
        '--name',
        `rd-${file.slice(0, 12)}`,
        '--seconds',
        '60',
      ]),
    );
  const metrics = await daemon.until('waits, reads and blocks of all of them', (now) =>
    files.every(
      (file) =>
        total(now, 'proc_reads', { file }) > 100 && (file === 'maps' || total(now, 'blocks', { file }) > 0),
    ),
  );
  for (const { stop } of [...readers, writers]) await stop();
  const held = assertEquations(await daemon.settled(), 'at the end');
  const series = seriesCount(metrics.text);
  t.diagnostic(JSON.stringify({ series, held }));
  assert.ok(held > 15, `only ${held} equations said something`);
  assert.ok(series < usualSeries, `${series} series, where fewer than ${usualSeries} are usual`);
  assert.equal(await daemon.stop(), 0);
});
