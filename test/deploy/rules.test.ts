import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { parse } from 'yaml';
import { contract } from '../metrics/contract.js';
import { findPromtool, noPromtool, runPromtool } from './promtool.js';
import {
  alerts,
  committed,
  generate,
  prometheusFolder,
  type RuleFile,
  rulesOf,
  thresholds,
} from './rule-sources.js';

test('what is committed is what the generator makes, and nothing else', () => {
  for (const [path, text] of generate())
    assert.equal(committed(path), text, `${path}: run node deploy/prometheus/generate.mjs`);
  assert.deepEqual(
    readdirSync(join(prometheusFolder, 'rules')).map((name) => `rules/${name}`),
    [...generate().keys()].filter((path) => path.startsWith('rules/')).sort(),
  );
});

test('the PrometheusRule is one, and holds every group of the rule files', () => {
  const resource = parse(committed('prometheus-rule.yaml'));
  new PrometheusRule(resource).validate();
  const groups = [...generate().keys()]
    .filter((path) => path.startsWith('rules/'))
    .flatMap((path) => (parse(committed(path)) as RuleFile).groups);
  assert.deepEqual(resource.spec.groups, groups);
  assert.equal(new Set(groups.map(({ name }) => name)).size, groups.length);
  assert.deepEqual(parse(committed('kustomization.yaml')).resources, ['prometheus-rule.yaml']);
});

test('promtool takes the rule files', async (context) => {
  const promtool = findPromtool();
  if (promtool === undefined) return context.skip(noPromtool);
  const files = [...generate().keys()].filter((path) => path.startsWith('rules/'));
  const { status, said } = await runPromtool(promtool, [
    'check',
    'rules',
    '--lint-fatal',
    ...files.map((file) => join(prometheusFolder, file)),
  ]);
  assert.equal(status, 0, said);
});

const metricsIn = (expr: string): string[] => expr.match(/\b(?:\w+:)?mmaplock_\w+(?::\w+)?/g) ?? [];

test('rules ask for metrics that exist: records, or families of the daemon', () => {
  const records = rulesOf().flatMap(({ record = [] }) => record);
  const known = new Set([...records, ...Object.keys(contract)]);
  for (const { record, alert, expr } of rulesOf()) {
    const metrics = metricsIn(expr);
    for (const metric of metrics)
      assert.ok(
        known.has(metric.replace(/_bucket$/, '')) || known.has(metric),
        `${record ?? alert}: ${metric}`,
      );
    assert.ok(metrics.length > 0 || /\bup\{/.test(expr), `${record ?? alert} asks for something of ours`);
  }
});

test('rules ask for no family whose labels are names of processes', () => {
  const named = Object.entries(contract)
    .filter(([, { labels }]) => labels.some((label) => ['process', 'reader', 'victim'].includes(label)))
    .map(([family]) => family)
    // Bounded by the operator's own list.
    .filter((family) => !family.startsWith('mmaplock_watched_'));
  assert.ok(named.includes('mmaplock_reader_block_seconds_total'));
  for (const { record, alert, expr } of rulesOf())
    for (const family of named) assert.ok(!metricsIn(expr).includes(family), `${record ?? alert}: ${family}`);
});

test('only what is watched pages; what is told of a cluster names no host', () => {
  assert.deepEqual(
    alerts
      .filter(({ labels }) => labels.severity === 'page')
      .map(({ expr }) => /mmaplock_watched_/.test(expr)),
    [true, true],
  );
  for (const { alert, expr, labels, annotations } of alerts) {
    assert.match(labels.severity ?? '', /^(page|ticket)$/, alert);
    const { summary = '', description = '' } = annotations;
    assert.match(description, /\$value/, `${alert} says how much`);
    assert.match(`${summary}${description}`, /\$labels\.cluster/, `${alert} says where`);
    if (expr.includes('cluster:'))
      assert.doesNotMatch(`${summary}${description}`, /\$labels\.instance/, alert);
  }
});

test('each alert has its runbook, and each runbook its alert', () => {
  const sections = [...committed('runbooks.md').matchAll(/^## (Mmaplock\w+)\n\n((?:(?!^## )[^\n]*\n)*)/gm)];
  assert.deepEqual(sections.map(([, name]) => name).sort(), alerts.map(({ alert }) => alert).sort());
  for (const [, name, text = ''] of sections)
    for (const part of ['**Means.**', '**Confirm.**', '**Do.**'])
      assert.ok(text.includes(part), `${name}: ${part}`);
  for (const { alert, annotations } of alerts)
    assert.equal(annotations.runbook_url, `runbooks.md#${alert.toLowerCase()}`);
});

test('where the runbooks are is a setting, and so is every limit and time', () => {
  const other = rulesOf({
    ...thresholds,
    runbooks: 'https://example.net/runbooks',
    interval: '1s',
    windows: { short: '10s', medium: '20s', long: '40s' },
    page: { oldestWait: { seconds: 0.125, for: '3s' }, writersBlocked: { share: 0.0625 } },
    fleet: { ...thresholds.fleet, for: '4s' },
  });
  const text = JSON.stringify(other);
  assert.doesNotMatch(text, /\[(?:5m|10m|1h)\]|"(?:1m|15m)"|runbooks\.md/);
  for (const part of [
    '0.125',
    '0.0625',
    '[20s]',
    '"3s"',
    '"4s"',
    'https://example.net/runbooks#mmaplockvictimstuck',
  ])
    assert.ok(text.includes(part), part);
});
