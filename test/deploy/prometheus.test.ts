import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parse } from 'yaml';
import { contract } from '../metrics/contract.js';
import { seriesCount } from '../support/exposition.js';
import { busyDaemon } from '../support/scenes.js';
import { findPromtool, noPromtool, runPromtool } from './promtool.js';
import { committed, prometheusFolder, rulesOf, thresholds } from './rule-sources.js';

interface Relabeling {
  readonly action?: string;
  readonly regex: string;
  readonly source_labels?: readonly string[];
}

interface Config {
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly sample_limit: number;
    readonly metric_relabel_configs?: readonly Relabeling[];
  }[];
  readonly remote_write?: readonly { readonly write_relabel_configs?: readonly Relabeling[] }[];
}

const examples = ['scrape.yaml', 'remote-write.yaml', 'agent.yaml'];

/** As Prometheus reads them: anchored. */
const whole = (regex: string): RegExp => new RegExp(`^(?:${regex})$`);

for (const example of examples)
  test(`promtool takes ${example}`, async (context) => {
    const promtool = findPromtool();
    if (promtool === undefined) return context.skip(noPromtool);
    const agent = example === 'agent.yaml' ? ['--agent'] : [];
    const { status, said } = await runPromtool(promtool, [
      'check',
      'config',
      ...agent,
      join(prometheusFolder, example),
    ]);
    assert.equal(status, 0, said);
  });

test('the examples scrape a job that the rules know, with room for every series a host may have', () => {
  for (const example of examples) {
    const { scrape_configs } = parse(committed(example)) as Config;
    for (const { job_name, sample_limit } of scrape_configs) {
      assert.match(job_name, whole(thresholds.jobs), example);
      assert.ok(sample_limit >= 1500 + 100, example);
    }
  }
});

/** Names of series as they are scraped. */
const scraped = Object.entries(contract).flatMap(([name, { type }]) =>
  type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
);

/** What rules ask a scrape for. */
const askedFor = new Set(
  rulesOf()
    .flatMap(({ expr }) => expr.match(/(?<![\w:])mmaplock_\w+/g) ?? [])
    .filter((name) => scraped.includes(name)),
);

test('what the examples drop, also where it is commented out, no rule asks for', () => {
  assert.ok(askedFor.size > 15);
  let drops = 0;
  for (const example of examples) {
    const text = committed(example);
    // The part that takes the quantiles away says so.
    const uncommented = text.replace(/^( *)# (- source_labels| {2}(?:action|regex):)/gm, '$1$2');
    for (const config of [text, uncommented])
      for (const { metric_relabel_configs = [] } of (parse(config) as Config).scrape_configs)
        for (const { action, regex } of metric_relabel_configs) {
          if (action !== 'drop') continue;
          drops += 1;
          for (const name of askedFor)
            assert.ok(!whole(regex).test(name) || name.endsWith('_bucket'), `${example}: ${name}`);
          assert.ok(
            /process\|nodejs/.test(regex) || scraped.some((name) => whole(regex).test(name)),
            `${example} drops something: ${regex}`,
          );
        }
  }
  assert.ok(drops >= 5, `${drops} of them seen`);
});

test('remote write hands on every record, whom to page for, and who made whom wait', () => {
  const { remote_write = [] } = parse(committed('remote-write.yaml')) as Config;
  const keep = whole(remote_write[0]!.write_relabel_configs![0]!.regex);
  for (const { record } of rulesOf()) if (record !== undefined) assert.match(record, keep);
  for (const name of [
    'up',
    'mmaplock_watched_oldest_wait_seconds',
    'mmaplock_watched_writers_blocked_time_seconds_total',
    'mmaplock_reader_block_seconds_total',
  ])
    assert.match(name, keep);
  assert.doesNotMatch('mmaplock_waits_total', keep);
});

interface Scale {
  readonly seriesOfHost: { readonly typical: number; readonly most: number; readonly recorded: number };
  readonly costOf: (
    hosts: number,
    series: number,
    scrapeSeconds: number,
  ) => Readonly<Record<'series' | 'samplesPerSecond' | 'headBytes' | 'diskBytesPerDay', number>>;
  readonly costTable: () => string;
}

const loadScale = async () =>
  (await import(pathToFileURL(join(prometheusFolder, 'scale.mjs')).href)) as Scale;

test('what a fleet costs rests on the series that a host has and the rules record', async () => {
  const { seriesOfHost, costOf, costTable } = await loadScale();
  const text = await busyDaemon().text();
  const off = Math.abs(seriesCount(text) - seriesOfHost.typical) / seriesOfHost.typical;
  assert.ok(off < 0.15, `a host with a bit of everything has ${seriesCount(text)} series`);
  const labelled = (family: string, label: string) =>
    new Set(
      Array.from(
        text.matchAll(new RegExp(`^${family}{.*?\\b${label}="([^"]*)"`, 'gm')),
        ([, value]) => value,
      ),
    ).size;
  const recorded = rulesOf()
    .filter(({ record = '' }) => /^instance/.test(record))
    .reduce((sum, { record = '', expr }) => {
      const [, label] = /^instance_(\w+):/.exec(record) ?? [];
      return sum + (label === undefined ? 1 : labelled(/rate\((\w+)\[/.exec(expr)![1]!, label));
    }, 0);
  assert.equal(recorded, seriesOfHost.recorded);
  assert.deepEqual(costOf(1500, 472, 20), {
    series: 750_000,
    samplesPerSecond: 35_400 + 1400,
    headBytes: 750_000 * 4096,
    diskBytesPerDay: 36_800 * 86_400 * 2,
  });
  assert.equal(costTable().split('\n').length, 2 + 9 + 1);
});
