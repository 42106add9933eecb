/**
 * End to end: a real Prometheus scrapes the daemon under load. Every query of the dashboards and every rule runs there,
 * and a real reader of smaps makes an alert fire.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parse } from 'yaml';
import { killLeftovers } from './support/children.js';
import { packageRoot, startDaemon } from './support/daemon.js';
import { lacking } from './support/host.js';
import { eventually } from './support/patience.js';
import { type Prometheus, type Rule, startPrometheus } from './support/prometheus.js';
import { runWorkload } from './support/workload.js';

const skip = lacking('root', 'tracing', 'bpftrace', 'prometheus');

after(killLeftovers);

interface Query {
  readonly of: string;
  readonly name: string;
  readonly expr: string;
}

const deployed = (file: string): string => path.join(packageRoot, 'deploy', file);
const load = (file: string) => import(pathToFileURL(deployed(file)).href);

/** The rules with times that a test can wait for: what they ask is the same. */
const quickRules = async (): Promise<Record<string, unknown>> => {
  const { buildRules } = await load('prometheus/rules.mjs');
  const { thresholds } = await load('prometheus/thresholds.mjs');
  const windows = { short: '8s', medium: '8s', long: '8s' };
  const page = { ...thresholds.page, oldestWait: { seconds: 3600, for: '1s' } };
  return buildRules({ ...thresholds, interval: '1s', windows, page });
};

/** What the load does not feed, and why. */
const unfed: readonly (readonly [RegExp, string])[] = [
  [/blind or down|Blind, by reason|Restarts of the tracer/, 'the tracer is up all the time'],
  [/VMA waits/, 'VMA waits take function probes, and are off by default'],
  [/host: Losses|host: Incidents, C/, 'shown where something is lost, which a small load need not do'],
  [/host: CPU, C/, 'inspect mode is off'],
];

const reasonFor = (name: string): string | undefined => unfed.find(([pattern]) => pattern.test(name))?.[1];

const alertIn = async (prometheus: Prometheus, name: string): Promise<Rule> => {
  const found = (await prometheus.rules()).find((rule) => rule.type === 'alerting' && rule.name === name);
  assert.ok(found, `there is no alert ${name}`);
  return found;
};

const dashboardQueries = async (instance: string): Promise<readonly Query[]> => {
  const { queriesOf } = await load('grafana/queries.mjs');
  return ['fleet', 'host'].flatMap((name) => {
    const dashboard = JSON.parse(readFileSync(deployed(`grafana/dashboards/${name}.json`), 'utf8'));
    const queries: readonly Query[] = queriesOf(dashboard, { instance, window: '1m' });
    return queries.map((query) => ({ ...query, name: `${name}: ${query.name}` }));
  });
};

/** The rules as they are deployed, each as a query. */
const ruleQueries = (): readonly Query[] =>
  ['records-instance', 'records-release', 'records-cluster', 'page', 'ticket', 'fleet-health'].flatMap(
    (file) => {
      const { groups } = parse(readFileSync(deployed(`prometheus/rules/${file}.yaml`), 'utf8'));
      return groups.flatMap(({ rules }: { rules: { record?: string; alert?: string; expr: string }[] }) =>
        rules.map(({ record, alert, expr }) => ({
          of: record === undefined ? 'alert' : 'record',
          name: `${file}: ${record ?? alert}`,
          expr,
        })),
      );
    },
  );

test('dashboards and rules hold against the live daemon, and a reader of smaps makes alerts fire', {
  skip,
}, async (t) => {
  const daemon = await startDaemon({ args: ['--metrics.watched-victims=wr-prom'] });
  await daemon.ready();
  const instance = new URL(daemon.url).host;
  const prometheus = await startPrometheus({
    target: instance,
    labels: { cluster: 'test' },
    rules: await quickRules(),
  });

  const blocked = ['MmaplockWritersBlocked', 'MmaplockVictimBlocked'];
  await eventually('hosts are counted', async () => {
    const hosts = await prometheus.query('cluster:mmaplock_hosts:count{cluster="test"}');
    return hosts[0]?.value[1] === '1' ? hosts : undefined;
  });
  for (const name of blocked)
    assert.equal((await alertIn(prometheus, name)).state, 'inactive', `${name}, before there is a reader`);

  const writers = await runWorkload('writers', ['--name', 'wr-prom', '--vmas', '300', '--seconds', '3600']);
  await writers.ready;
  const target = [`${writers.pid}`, '--seconds', '3600'];
  await eventually('their waits are seen', async () => {
    const waits = await prometheus.query('instance_mode:mmaplock_waits:rate5m{mode="write"} > 0');
    return waits.length > 0 ? waits : undefined;
  });
  assert.equal((await alertIn(prometheus, blocked[0] as string)).state, 'inactive', 'writers alone');
  const readers = [
    await runWorkload('proc-reader', ['smaps', ...target, '--name', 'rd-smaps']),
    await runWorkload('proc-reader', ['maps', ...target, '--name', 'rd-maps']),
  ];
  for (const name of blocked) {
    const rule = await eventually(`${name} fires`, async () => {
      const now = await alertIn(prometheus, name);
      return now.state === 'firing' ? now : undefined;
    });
    assert.equal(rule.alerts?.[0]?.labels.instance, instance);
    t.diagnostic(`${name} fires: ${JSON.stringify(rule.alerts?.[0]?.labels)}`);
  }

  const broken = (await prometheus.rules()).filter(({ health }) => health !== 'ok');
  assert.deepEqual(broken, [], 'every rule is evaluated without an error');

  // A query that fails rejects, with what Prometheus says. An incident may be yet to come, so each may take its time.
  const queries = [...(await dashboardQueries(instance)), ...ruleQueries()];
  for (const { of, name, expr } of queries) {
    const series = () =>
      prometheus.query(expr).catch((error: unknown) => {
        throw new Error(`${name}: ${error}: ${expr}`);
      });
    // An alert has no result while all is well.
    if (of === 'alert' || reasonFor(name) !== undefined) await series();
    else
      await eventually(`data for ${of} ${name}`, async () =>
        (await series()).length > 0 ? true : undefined,
      );
  }
  t.diagnostic(`${queries.length} queries`);

  for (const workload of [...readers, writers]) await workload.stop();
  await eventually('the alert ends', async () =>
    (await alertIn(prometheus, blocked[0] as string)).state === 'inactive' ? true : undefined,
  );
  await prometheus.stop();
  assert.equal(await daemon.stop(), 0);
});
