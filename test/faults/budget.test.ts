/** The cost budget, kept by the real daemon on this kernel: what is given up and comes back, and what it leaves behind. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, test } from 'node:test';
import { killLeftovers } from '../live/support/children.js';
import { type Metrics, type RunningDaemon, startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { runWorkload } from '../live/support/workload.js';

const file = '/proc/sys/kernel/bpf_stats_enabled';
const enabled = (): string => readFileSync(file, 'latin1').trim();
const enable = (value: '0' | '1'): void => writeFileSync(file, `${value}\n`, { flag: 'r+' });

const writable = (): string | false => {
  try {
    enable(enabled() === '0' ? '0' : '1');
    return false;
  } catch (error) {
    return `kernel.bpf_stats_enabled cannot be set here: ${String(error)}`;
  }
};
const missing = lacking('root', 'tracing', 'bpftrace');
const skip = missing === false ? writable() : missing;

const state = mkdtempSync(path.join(tmpdir(), 'mmaplockd-budget-'));
after(() => rmSync(state, { recursive: true }));
afterEach(killLeftovers);

/** Until the statistics are on, which they are for 1 s in 3 or less. */
const untilOn = async (daemon: RunningDaemon): Promise<void> => {
  for (const deadline = Date.now() + 30_000; enabled() === '0'; ) {
    assert.ok(Date.now() < deadline, 'no sample was taken in 30 s');
    await daemon.get('/-/healthy');
  }
};

/** A sample every 2 s or so, of probes that may cost nothing worth mention. */
const eager = ['--cost.over-seconds=4', '--cost.quiet-seconds=4'];

const shed = (metrics: Metrics): string[] =>
  metrics
    .all('mmaplock_shed')
    .filter(({ value }) => value === 1)
    .map(({ labels }) => labels.what ?? '');

/** The totals that stay observed all the time, each never lower than before. */
const watchTotals = () => {
  const seen = new Map<string, number>();
  return (metrics: Metrics): true => {
    for (const { name, labels, value } of metrics.samples) {
      if (!/^mmaplock_.*_total$/.test(name)) continue;
      const key = name + JSON.stringify(labels);
      assert.ok(value >= (seen.get(key) ?? 0), `${key} went from ${seen.get(key)} to ${value}`);
      seen.set(key, value);
    }
    return true;
  };
};

test('over a small budget retries go, then reads; waits count on; after the load all comes back with its totals', {
  skip,
}, async (t) => {
  // Writers make each acquisition dear; so small a budget is kept only by a host on which nothing happens.
  const daemon = await startDaemon({ args: [...eager, '--cost.budget-percent=0.5'] });
  const first = await daemon.ready();
  assert.deepEqual(shed(first), []);
  assert.equal(first.all('mmaplock_shed').length, 7, 'each is there at 0 from the first scrape');
  const grows = watchTotals();
  const load = await runWorkload('writers', [
    '--name',
    'wr-budget',
    '--seconds',
    '110',
    '--read-own',
    'maps',
  ]);
  const before = await daemon.until(
    'reads are counted',
    (now) => grows(now) && (now.sum('mmaplock_proc_reads_total', { file: 'maps' }) ?? 0) > 0,
  );
  const readsBefore = before.sum('mmaplock_proc_reads_total', { file: 'maps' }) ?? 0;

  await daemon.until('retries are given up', (now) => grows(now) && shed(now).includes('retries'), 40);
  const opens = await daemon.until(
    'reads are given up, and a tracer runs',
    (now, { status }) =>
      grows(now) &&
      shed(now).includes('reads') &&
      now.sum('mmaplock_proc_reads_total') === undefined &&
      status === 200 &&
      now.sum('mmaplock_tracer_up') === 1,
    40,
  );
  t.diagnostic(JSON.stringify({ shed: shed(opens), ratio: opens.sum('mmaplock_probe_cost_ratio') }));
  assert.ok((opens.sum('mmaplock_tracer_restarts_total', { reason: 'budget' }) ?? 0) >= 2);
  assert.ok((opens.sum('mmaplock_probe_run_seconds_total') ?? 0) > 0);
  const { body: ready } = await daemon.get<{ ready: boolean; problems: { code: string; message: string }[] }>(
    '/-/ready',
  );
  assert.equal(ready.ready, true);
  const told = ready.problems.find(({ code }) => code === 'shed_for_cost');
  assert.match(told?.message ?? '', /more than 0\.5 % of a core.*retries, reads/);
  const { body: status } = await daemon.get<{
    observables: { what: string; reason?: { code: string } }[];
    cost: { shed: string[] };
  }>('/api/v1/status');
  for (const what of ['retries', 'reads', 'blocks'])
    assert.equal(status.observables.find((one) => one.what === what)?.reason?.code, 'shed_for_cost', what);
  assert.ok(status.cost.shed.includes('reads'));
  const line = daemon.log.find(({ step }) => step === 'retries');
  assert.ok(Number(line?.cost_percent) > 0.5 && line?.budget_percent === 0.5, JSON.stringify(line));

  await load.stop();
  const back = await daemon.until(
    'all is back',
    (now, { status: code }) =>
      grows(now) &&
      shed(now).length === 0 &&
      now.sum('mmaplock_observable', { what: 'retries' }) === 1 &&
      now.sum('mmaplock_tracer_up') === 1 &&
      code === 200,
    90,
  );
  assert.ok(
    (back.sum('mmaplock_proc_reads_total', { file: 'maps' }) ?? 0) >= readsBefore,
    'the old total is resumed',
  );
  assert.equal(await daemon.stop(), 0);
  assert.equal(enabled(), '0');
});

test('a budget that nothing can keep to: waits go last, then nothing runs, which is told; then they are tried again', {
  skip,
}, async () => {
  const daemon = await startDaemon({ args: [...eager, '--cost.budget-percent=0.0001', '--reads=off'] });
  await daemon.ready();
  const load = await runWorkload('writers', ['--name', 'wr-last', '--seconds', '110']);
  const blind = await daemon.until(
    'waits are given up',
    (now, { status, body }) =>
      status === 503 &&
      body.problems.some(({ code }) => code === 'shed_for_cost') &&
      now.sum('mmaplock_waits_total') === undefined &&
      (now.sum('mmaplock_blind_seconds_total', { reason: 'budget' }) ?? 0) > 1,
    60,
  );
  assert.deepEqual(shed(blind), ['waits', 'operations']);
  assert.equal(blind.sum('mmaplock_tracer_up'), 0);
  await daemon.until(
    'they are tried again',
    (now, { status }) => status === 200 && shed(now).length === 0,
    60,
  );
  await load.stop();
  assert.equal(await daemon.stop(), 0);
});

test('stopped or killed within a sample, the statistics of the kernel do not stay on', { skip }, async () => {
  const args = [...eager, `--incidents.directory=${state}`];
  const stopped = await startDaemon({ args });
  await stopped.ready();
  await untilOn(stopped);
  assert.equal(await stopped.stop(), 0);
  assert.equal(enabled(), '0');

  const killed = await startDaemon({ args });
  await killed.ready();
  await untilOn(killed);
  await killed.kill();
  assert.equal(enabled(), '1', 'nobody could');
  assert.equal(readdirSync(state).filter((name) => name.startsWith('bpf-stats-on.')).length, 1);
  const next = await startDaemon({ args: [...args, '--cost.measure=off'] });
  assert.equal(enabled(), '0');
  assert.deepEqual(
    readdirSync(state).filter((name) => name.startsWith('bpf-stats-on.')),
    [],
  );
  assert.equal(await next.stop(), 0);
});

test('where an operator has the statistics on they stay on, and are read', { skip }, async (t) => {
  t.after(() => enable('0'));
  enable('1');
  const daemon = await startDaemon({ args: eager });
  await daemon.until('a sample', (now) => now.sum('mmaplock_probe_cost_ratio') !== undefined, 40);
  assert.equal(enabled(), '1');
  assert.equal(await daemon.stop(), 0);
  assert.equal(enabled(), '1');
});

test('the maps take no more memory than was reckoned for this host', { skip }, async (t) => {
  const daemon = await startDaemon({ args: ['--limits.map-memory-mib=8', '--cost.measure=off'] });
  await daemon.ready();
  const { body } = await daemon.get<{ tracer: { pid: string } }>('/api/v1/status');
  const folder = `/proc/${body.tracer.pid}/fdinfo`;
  const maps = new Map<string, { name: string; bytes: number }>();
  for (const descriptor of readdirSync(folder)) {
    const text = readFileSync(path.join(folder, descriptor), 'latin1');
    const of = (field: string) => new RegExp(`^${field}:\\t(\\S+)`, 'm').exec(text)?.[1] ?? '';
    // Hashes alone: the ring that carries what is printed is not among the maps of a program.
    if (of('map_type') === '1' || of('map_type') === '5')
      maps.set(of('map_id'), { name: descriptor, bytes: Number(of('memlock')) });
  }
  const bytes = [...maps.values()].reduce((sum, map) => sum + map.bytes, 0);
  t.diagnostic(`${maps.size} maps, ${(bytes / 2 ** 20).toFixed(2)} MiB`);
  assert.ok(maps.size > 20, `${maps.size} maps`);
  assert.ok(bytes <= 8 * 2 ** 20, `${bytes} bytes of maps, where 8 MiB are allowed`);
  await daemon.until(
    'the metric tells at least as much',
    (now) => (now.sum('mmaplock_tracer_map_memory_bytes') ?? 0) >= bytes,
    40,
  );
  assert.equal(await daemon.stop(), 0);
});
