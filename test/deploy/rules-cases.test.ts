/** The cases of deploy/prometheus/tests: that they hold, that they are complete, and that they notice. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { findPromtool, noPromtool, runPromtool } from './promtool.js';
import {
  alerts,
  buildRules,
  committed,
  prometheusFolder,
  type Thresholds,
  thresholds,
} from './rule-sources.js';

interface CaseFile {
  readonly evaluation_interval: string;
  readonly tests: readonly {
    readonly name: string;
    readonly alert_rule_test?: readonly {
      readonly alertname: string;
      readonly eval_time: string;
      readonly exp_alerts?: readonly unknown[];
    }[];
  }[];
}

const files = readdirSync(join(prometheusFolder, 'tests'));
const promtool = findPromtool();

const unit: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
const seconds = (duration: string): number =>
  [...duration.matchAll(/(\d+)([smh])/g)].reduce(
    (sum, [, count, of = '']) => sum + Number(count) * unit[of]!,
    0,
  );

const cases = files.flatMap((file) => {
  const { tests, evaluation_interval } = parse(committed(`tests/${file}`)) as CaseFile;
  assert.equal(evaluation_interval, thresholds.interval, file);
  return tests.map(({ name, alert_rule_test = [] }) => ({ name, looks: alert_rule_test }));
});

for (const file of files)
  test(`promtool finds that ${file} holds`, async (context) => {
    if (promtool === undefined) return context.skip(noPromtool);
    const { status, said } = await runPromtool(promtool, [
      'test',
      'rules',
      join(prometheusFolder, 'tests', file),
    ]);
    assert.equal(status, 0, said);
  });

for (const { alert } of alerts)
  test(`${alert} has cases in which it fires, each with a look just before, and silent ones`, () => {
    const own = cases.map(({ name, looks }) => ({
      name,
      looks: looks.filter(({ alertname }) => alertname === alert),
    }));
    const fires = (look: { readonly exp_alerts?: readonly unknown[] }) => (look.exp_alerts ?? []).length > 0;
    const firing = own.filter(({ looks }) => looks.some(fires));
    assert.ok(
      firing.some(({ name }) => name.includes('fresh')),
      'on a fresh series',
    );
    for (const { name, looks } of firing) {
      // This one is about the end.
      if (name.includes('ends five minutes')) continue;
      const first = looks.find(fires)!;
      const before = seconds(first.eval_time) - seconds(thresholds.interval);
      const silent = looks.find((look) => seconds(look.eval_time) === before);
      assert.ok(silent !== undefined && !fires(silent), `${name}: nothing at ${before} s`);
    }
    const silent = own.filter(
      ({ name, looks }) =>
        name.includes('healthy, absent and resetting') && looks.length > 0 && !looks.some(fires),
    );
    assert.equal(silent.length, 1, 'healthy, absent and resetting');
  });

/** Thresholds a little off, and the file of cases that has to notice. */
const mutants: readonly (readonly [string, string, (changed: Thresholds) => unknown])[] = [
  ['a lower limit of the longest wait', 'page', ({ page }) => (page.oldestWait.seconds = 4.9)],
  ['a higher one', 'page', ({ page }) => (page.oldestWait.seconds = 5.2)],
  ['a longest wait that fires one evaluation earlier', 'page', ({ page }) => (page.oldestWait.for = '30s')],
  ['one evaluation later', 'page', ({ page }) => (page.oldestWait.for = '90s')],
  ['a lower share of a page', 'page', ({ page }) => (page.writersBlocked.share = 0.194)],
  ['a higher one', 'page', ({ page }) => (page.writersBlocked.share = 0.209)],
  ['a lower share of a ticket', 'ticket', ({ ticket }) => (ticket.writersBlocked.share = 0.0196)],
  ['a higher one', 'ticket', ({ ticket }) => (ticket.writersBlocked.share = 0.0201)],
  ['fewer incidents', 'ticket', ({ ticket }) => (ticket.incidents.count = 59)],
  ['more incidents', 'ticket', ({ ticket }) => (ticket.incidents.count = 61)],
  ['a smaller share of hosts', 'fleet-size', ({ fleet }) => (fleet.share = 0.019)],
  ['a larger one', 'fleet-size', ({ fleet }) => (fleet.share = 0.022)],
  ['one host is enough', 'fleet-size', ({ fleet }) => (fleet.hosts = 1)],
  ['three are needed', 'fleet-size', ({ fleet }) => (fleet.hosts = 3)],
  ['a third of the fleet is enough', 'fleet-size', ({ fleet }) => (fleet.most = 0.33)],
  ['half of the fleet is not enough', 'fleet-size', ({ fleet }) => (fleet.most = 0.51)],
  ['a fleet that fires one evaluation earlier', 'fleet-size', ({ fleet }) => (fleet.for = '870s')],
  ['one evaluation later', 'fleet-size', ({ fleet }) => (fleet.for = '930s')],
  ['gaps that count earlier', 'fleet-health', ({ fleet }) => (fleet.gap = 0.095)],
  ['gaps that count later', 'fleet-health', ({ fleet }) => (fleet.gap = 0.12)],
  ['windows twice as long', 'records', ({ windows }) => (windows.short = '10m')],
];

const annotationsOf = new Map(alerts.map(({ alert, annotations }) => [alert, annotations]));

/** Most records are asked for by no alert: without those, cases of alerts run in half the time. */
const isNeeded = (record: string, file: string): boolean =>
  file === 'records' || record.startsWith('cluster:') || alerts.some(({ expr }) => expr.includes(record));

/** Rules of those thresholds beside the cases. Texts stay as they are: that a limit stands in them must not be what is noticed. */
const writeMutant = (folder: string, file: string, changed: Thresholds): void => {
  mkdirSync(join(folder, 'rules'));
  for (const [name, { groups }] of Object.entries(buildRules(changed))) {
    const told = groups.map(({ rules, ...group }) => ({
      ...group,
      rules: rules
        .filter(({ record }) => record === undefined || isNeeded(record, file))
        .map((rule) =>
          rule.alert === undefined ? rule : { ...rule, annotations: annotationsOf.get(rule.alert) },
        ),
    }));
    writeFileSync(join(folder, 'rules', name), JSON.stringify({ groups: told }));
  }
  cpSync(join(prometheusFolder, 'tests'), join(folder, 'tests'), { recursive: true });
};

test('the cases notice limits and times that are a little off', { concurrency: 2 }, async (context) => {
  if (promtool === undefined) return context.skip(noPromtool);
  await Promise.all(
    mutants.map(([name, file, change]) =>
      context.test(`${file}: ${name}`, async () => {
        const folder = mkdtempSync(join(tmpdir(), 'mmaplockd-rules-'));
        try {
          const changed = structuredClone(thresholds);
          change(changed);
          writeMutant(folder, file, changed);
          const { status, said } = await runPromtool(promtool, [
            'test',
            'rules',
            join(folder, `tests/${file}.yaml`),
          ]);
          assert.equal(status, 1, said);
          assert.match(said, /FAILED:/);
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      }),
    ),
  );
});
