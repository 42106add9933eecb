/** The cost budget and its switch of the kernel; test/faults/long gives up more, step by step. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, test } from 'node:test';
import { killLeftovers } from '../live/support/children.js';
import { type Metrics, type Readiness, type RunningDaemon, startDaemon } from '../live/support/daemon.js';
import { eventually } from '../live/support/patience.js';
import { runWorkload } from '../live/support/workload.js';
import { eager, enable, enabled, shed, skipOfBudget as skip } from './support/budget.js';

const state = mkdtempSync(path.join(tmpdir(), 'mmaplockd-budget-'));
after(() => rmSync(state, { recursive: true }));
afterEach(killLeftovers);

interface Status {
  readonly cost: {
    readonly cause: { readonly user: { readonly uid: number; readonly share: number } } | null;
  };
}

/** The metrics after each of so many further samples of what the probes cost. */
const taken = async (daemon: RunningDaemon, count: number) => {
  const samples: Metrics[] = [];
  const ran = (metrics: Metrics): number => metrics.sum('mmaplock_probe_run_seconds_total') ?? 0;
  for (let last = ran(await daemon.metrics()); samples.length < count; last = ran(samples.at(-1)!))
    samples.push(await daemon.until('another sample', (now) => ran(now) > last, 40));
  return samples;
};

/** Until the statistics are on, which they are for 1 s in 3 or less. */
const untilOn = async (daemon: RunningDaemon): Promise<void> => {
  for (const deadline = Date.now() + 30_000; enabled() === '0'; ) {
    assert.ok(Date.now() < deadline, 'no sample was taken in 30 s');
    await daemon.get('/-/healthy');
  }
};

test('a budget that nothing can keep to, with cost.shed_waits: waits go last, then nothing runs, which is told; then they are tried again', {
  skip,
}, async () => {
  const daemon = await startDaemon({
    args: [...eager, '--cost.budget-percent=0.0001', '--reads=off', '--cost.shed-waits=on'],
  });
  await daemon.ready();
  const load = await runWorkload('writers', ['--name', 'wr-last', '--seconds', '600']);
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

test('waits stay, whatever somebody makes them cost: that is told, and in whose context they run', {
  skip,
}, async (t) => {
  const nobody = 65_534;
  const load = await runWorkload('writers', ['--name', 'wr-nobody', '--seconds', '600'], { uid: nobody });
  const daemon = await startDaemon({ args: [...eager, '--cost.budget-percent=0.0001', '--reads=off'] });
  await daemon.ready();
  const told = await eventually(
    'whom the cost is of',
    async () => (await daemon.get<Status>('/api/v1/status')).body.cost.cause ?? undefined,
    60,
  );
  t.diagnostic(JSON.stringify(told));
  assert.equal(told.user.uid, nobody);
  assert.ok(told.user.share > 0.5, JSON.stringify(told));
  const samples = await taken(daemon, 5);
  assert.deepEqual(
    samples.flatMap(shed).filter((what) => what === 'waits'),
    [],
  );
  const { status, body } = await daemon.get<Readiness>('/-/ready');
  assert.equal(status, 200);
  assert.ok(
    body.problems.some(({ code }) => code === 'budget_exceeded'),
    JSON.stringify(body),
  );
  assert.ok(
    daemon.log.some(({ msg, uid }) => uid === nobody && /nothing is left to give up/.test(msg ?? '')),
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

test('where an operator has the statistics on they stay on and are read; the maps take no more than was reckoned', {
  skip,
}, async (t) => {
  t.after(() => enable('0'));
  enable('1');
  const daemon = await startDaemon({ args: [...eager, '--limits.map-memory-mib=8'] });
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
  await daemon.until('a sample', (now) => now.sum('mmaplock_probe_cost_ratio') !== undefined, 40);
  assert.equal(enabled(), '1');
  await daemon.until(
    'the metric tells at least as much',
    (now) => (now.sum('mmaplock_tracer_map_memory_bytes') ?? 0) >= bytes,
    40,
  );
  assert.equal(await daemon.stop(), 0);
  assert.equal(enabled(), '1');
});
