/** What the dashboards ask for is there: each metric, each label, and a server can parse it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { parse } from 'yaml';
import { packageRoot } from '../../../src/package-root.js';
import { parseExposition } from '../../support/exposition.js';
import { findPromtool, noPromtool } from '../promtool.js';
import { committed, type Query, queriesOf, substitute } from './dashboards.js';

const targetLabels = ['cluster', 'job', 'instance'];

/** Names of samples of the daemon, with their labels. */
const exposed = (): [string, string[]][] => {
  const golden = readFileSync(path.join(packageRoot, 'test/metrics/golden.prom'), 'utf8');
  return [...parseExposition(golden).values()]
    .flatMap(({ samples }) => samples)
    .map(({ name, labels }) => [name, [...Object.keys(labels), ...targetLabels]]);
};

/** `cluster_reason:...` keeps what its name says, `instance:...` its host, and `cluster:...` the job. */
const labelsOfRecord = (name: string): string[] => {
  const level = name.slice(0, name.indexOf(':'));
  if (level === 'cluster') return ['cluster', 'job'];
  return ['cluster', ...level.split('_'), ...(level.startsWith('instance') ? ['job'] : [])];
};

const rules = path.join(packageRoot, 'deploy/prometheus/rules');

const recorded = (): [string, string[]][] =>
  readdirSync(rules)
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => {
      const { groups } = parse(readFileSync(path.join(rules, file), 'utf8')) as {
        groups: { rules: { record?: string }[] }[];
      };
      return groups.flatMap(({ rules }) => rules.flatMap(({ record }) => record ?? []));
    })
    .map((name) => [name, labelsOfRecord(name)]);

/** What prom-client tells of the daemon, and Prometheus of a target. */
const besides = (): [string, string[]][] => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return [
    ...registry.getMetricsAsArray().flatMap(({ name }) => (name.startsWith('process_') ? [name] : [])),
    'up',
    'scrape_samples_scraped',
    'scrape_duration_seconds',
  ].map((name) => [name, targetLabels]);
};

const known: ReadonlyMap<string, ReadonlySet<string>> = (() => {
  const labels = new Map<string, Set<string>>();
  for (const [name, found] of [...exposed(), ...recorded(), ...besides()])
    labels.set(name, new Set([...(labels.get(name) ?? []), ...found]));
  return labels;
})();

const queries = [...committed].flatMap(([file, dashboard]) =>
  queriesOf(dashboard).map((query) => ({ ...query, name: `${file}: ${query.name}` })),
);

const string = /"(?:[^"\\]|\\.)*"/g;
const selector = /([a-zA-Z_:][\w:]*)\{([^}]*)\}/g;
const grouping = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
const word = /(?<![\w:.])[a-zA-Z_:][\w:]*(?![\w:]|\s*\()/g;
const keywords = new Set(['by', 'on', 'or', 'and', 'unless', 'bool', 'group_left', 'group_right', 'offset']);

/** Metrics with the labels their matchers name, labels by which is grouped, and labels that are made. */
const partsOf = (expr: string) => {
  const made = Array.from(
    expr.matchAll(/label_replace\([^"]*(?:"[^"]*"[^"]*)*?, "(\w+)", "[^"]*", ""/g),
    ([, name]) => name!,
  );
  const plain = expr.replace(string, '""');
  const selectors = Array.from(plain.matchAll(selector), ([, metric, matchers]) => ({
    metric: metric!,
    labels: Array.from(matchers!.matchAll(/(\w+)\s*[=!]/g), ([, name]) => name!),
  }));
  const grouped = Array.from(plain.matchAll(grouping), ([, names]) => names!.split(','))
    .flat()
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const rest = plain
    .replace(selector, '')
    .replace(/\[\w+\]/g, '')
    .replace(grouping, '');
  const bare = (rest.match(word) ?? []).filter((name) => !keywords.has(name));
  return { selectors, grouped, bare, made };
};

const check = ({ of, name, expr, legend }: Query): void => {
  const { selectors, grouped, bare, made } = partsOf(expr);
  assert.ok(selectors.length > 0 || bare.length > 0, `${name} asks for something`);
  assert.deepEqual(
    of === 'variable' ? [] : bare,
    [],
    `${name}: a metric without matchers would be that of all fleets`,
  );
  const there = new Set([...made, ...(bare.length > 0 ? targetLabels : [])]);
  for (const { metric, labels } of selectors) {
    const its = known.get(metric);
    assert.ok(its !== undefined, `${name}: no metric ${metric}`);
    for (const label of labels) assert.ok(its.has(label), `${name}: ${metric} has no label ${label}`);
    for (const label of its) there.add(label);
  }
  for (const label of grouped) assert.ok(there.has(label), `${name}: by ${label}`);
  const shown = Array.from(legend.matchAll(/\{\{(\w+)\}\}/g), ([, label]) => label!);
  for (const label of shown) assert.ok(there.has(label), `${name}: {{${label}}}`);
};

test('each metric, and each label of it, exists', () => {
  assert.ok(known.size > 80 && queries.length > 100);
  for (const query of queries) check(query);
});

test('what does not exist is found', () => {
  const query = (expr: string, legend = ''): Query => ({
    of: 'panel',
    name: 'x',
    instant: true,
    expr,
    legend,
  });
  check(query('sum by (mode) (rate(mmaplock_waits_total{job="a", operation="brk"}[5m]))', '{{mode}}'));
  for (const [expr, legend] of [
    ['sum(mmaplock_wait_total{job="a"})'],
    ['sum(mmaplock_waits_total{file="maps"})'],
    ['sum by (file) (mmaplock_waits_total{job="a"})'],
    ['sum(mmaplock_waits_total{job="a"}) / sum(mmaplock_waits_total)'],
    ['sum(mmaplock_waits_total{job="a"})', '{{reader}}'],
    ['sum(instance_mode:mmaplock_waits:rate5m{mode="read", file="maps"})'],
  ] as const)
    assert.throws(() => check(query(expr, legend)), assert.AssertionError, expr);
});

test('graphs of the fleet rest on recording rules or bounded families, and on names only for one reader', () => {
  const fleet = committed.get('fleet.json')!;
  const named = /mmaplock_(?:reader|victim|process)_/;
  const graphs = fleet.panels.filter(({ type }) => type === 'timeseries');
  assert.ok(graphs.length > 15);
  for (const { title, targets = [] } of graphs)
    for (const { expr } of targets) assert.ok(!named.test(expr) || expr.includes('reader=~"$reader"'), title);
});

test('a variable without a value is an error, and no query', () => {
  assert.equal(substitute('a{b="$c"}[$' + '{d}] $' + '{c:regex}', { c: '1', d: '5m' }), 'a{b="1"}[5m] 1');
  assert.throws(() => substitute('rate(a[$__unheard_of])', {}), /\$__unheard_of/);
  const [fleet] = committed.values();
  assert.ok(queriesOf(fleet!, { cluster: 'east' }).some(({ expr }) => expr.includes('cluster=~"east"')));
});

test('Prometheus can parse each query', (context) => {
  const command = findPromtool();
  if (command === undefined) return context.skip(noPromtool);
  const folder = mkdtempSync(path.join(tmpdir(), 'mmaplockd-dashboards-'));
  try {
    const ask = (exprs: readonly string[]) => {
      const file = path.join(folder, 'queries.yaml');
      const asked = exprs.map((expr, index) => ({ record: `query:${index}`, expr }));
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'queries', rules: asked }] }));
      const { status, stdout, stderr } = spawnSync(command, ['check', 'rules', file], { encoding: 'utf8' });
      return { status, said: `${stdout}${stderr}` };
    };
    const { status, said } = ask(queries.map(({ expr }) => expr));
    assert.equal(status, 0, said);
    assert.notEqual(ask(['sum by (']).status, 0, 'it does find what is wrong');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
