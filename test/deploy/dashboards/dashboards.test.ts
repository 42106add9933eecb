/** What a user sees of the dashboards of Grafana: each panel says how to read it, none hides another. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { committed, dashboards, type Panel, textOf } from './dashboards.js';

test('what is committed is what the generator makes', () => {
  const made = dashboards();
  assert.deepEqual([...made.keys()], [...committed.keys()]);
  for (const [file, text] of made)
    assert.ok(text === textOf(`dashboards/${file}`), `${file}: run node deploy/grafana/generate.mjs`);
});

test('a dashboard fits into the annotation in which kubectl keeps a ConfigMap', () => {
  for (const file of committed.keys())
    assert.ok(JSON.stringify(textOf(`dashboards/${file}`)).length < 200_000, file);
});

test('both are given to Grafana, on a host and in Kubernetes', () => {
  for (const file of committed.keys())
    assert.match(textOf('kustomization.yaml'), new RegExp(`- dashboards/${file}$`, 'm'));
  assert.match(textOf('kustomization.yaml'), /^ +grafana_dashboard: "1"$/m);
  assert.match(textOf('provisioning.yaml'), /^apiVersion: 1\n/m);
});

/** Units of a panel: its own, and those of its columns. */
const unitsOf = ({ fieldConfig }: Panel): unknown[] => [
  fieldConfig?.defaults.unit,
  ...(fieldConfig?.overrides ?? []).flatMap(({ properties }) =>
    properties.filter(({ id }) => id === 'unit').map(({ value }) => value),
  ),
];

const overlap = ({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

for (const [file, dashboard] of committed)
  describe(file, () => {
    const panels = dashboard.panels.filter(({ type }) => type !== 'row');

    test('has what bookmarks and lists of dashboards hang on', () => {
      assert.equal(dashboard.uid, `mmaplock-${file.replace('.json', '')}`);
      assert.ok(dashboard.tags.includes('mmaplockd'));
      assert.equal(dashboard.refresh, '30s');
      assert.ok(dashboard.schemaVersion >= 39);
      assert.ok(panels.length > 20);
    });

    test('each panel says how to read it', () => {
      for (const { title, description = '' } of panels) assert.ok(description.length > 60, title);
      assert.equal(new Set(panels.map(({ description }) => description)).size, panels.length);
    });

    test('each panel has a unit', () => {
      for (const panel of panels)
        assert.ok(
          unitsOf(panel).some((unit) => typeof unit === 'string'),
          panel.title,
        );
    });

    test('graphs have legends', () => {
      for (const { title, type, options } of panels)
        if (type === 'timeseries') assert.equal(options?.legend?.showLegend, true, title);
    });

    test('what is absent stays absent', () => {
      for (const { title, fieldConfig, targets } of panels) {
        assert.equal(fieldConfig?.defaults.noValue, undefined, title);
        for (const { expr } of targets ?? []) assert.doesNotMatch(expr, /\bor (?:on\(\) )?vector\(/, title);
      }
    });

    test('no datasource but the one the user picks', () => {
      const picked = { type: 'prometheus', uid: '$' + '{datasource}' };
      for (const { title, datasource, targets = [] } of panels) {
        assert.deepEqual(datasource, picked, title);
        assert.ok(targets.length > 0, title);
        for (const target of targets) assert.deepEqual(target.datasource, picked, title);
      }
      const others = JSON.stringify(dashboard).match(/"uid":"[^"]*"/g);
      assert.deepEqual(
        [...new Set(others)].sort(),
        [`"uid":"${dashboard.uid}"`, `"uid":"${picked.uid}"`].sort(),
      );
    });

    test('no panel lies on another, or beyond the right edge', () => {
      for (const [index, panel] of dashboard.panels.entries()) {
        assert.ok(panel.gridPos.x + panel.gridPos.w <= 24, panel.title);
        for (const other of dashboard.panels.slice(index + 1))
          assert.ok(!overlap(panel, other), `${panel.title} and ${other.title}`);
      }
    });

    test('ids are unique', () => {
      assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
      assert.ok(dashboard.panels.every(({ id }) => id > 0));
    });

    test('hosts without a label cluster are there, too', () => {
      assert.equal(dashboard.templating.list.find(({ name }) => name === 'cluster')?.allValue, '.*');
    });

    test('it leads to the other one, and takes the choices along', () => {
      const others = [...committed.values()].map(({ uid }) => uid).filter((uid) => uid !== dashboard.uid);
      assert.deepEqual(
        dashboard.links.map(({ url, includeVars }) => ({ url, includeVars })),
        others.map((uid) => ({ url: `/d/${uid}`, includeVars: true })),
      );
    });
  });

test('a click on a host of the fleet leads to that host', () => {
  const columns = committed
    .get('fleet.json')!
    .panels.flatMap(({ title, fieldConfig }) =>
      (fieldConfig?.overrides ?? [])
        .filter(({ matcher }) => matcher.options === 'instance')
        .map(({ properties }) => ({ title, properties })),
    );
  assert.ok(columns.length >= 4);
  for (const { title, properties } of columns) {
    const links = properties.find(({ id }) => id === 'links')?.value as { url: string }[] | undefined;
    assert.match(links?.[0]?.url ?? '', /^\/d\/mmaplock-host\?var-instance=\$\{__value\.raw/, title);
  }
});
