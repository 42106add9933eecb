/** A small budget, kept by the real daemon on this kernel: what is given up in turn, and that it comes back. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { killLeftovers } from '../../live/support/children.js';
import { type Metrics, startDaemon } from '../../live/support/daemon.js';
import { runWorkload } from '../../live/support/workload.js';
import { eager, enabled, shed, skipOfBudget as skip } from '../support/budget.js';

afterEach(killLeftovers);

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
    '600',
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
