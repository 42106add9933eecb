import assert from 'node:assert/strict';
import { test } from 'node:test';
import { samplesOf, valueIn } from '../support/exposition.js';
import { busyDaemon, silentDaemon } from '../support/scenes.js';

test('what can be given up is there at 0 from the first scrape, and 1 for all that a step takes', async () => {
  const daemon = silentDaemon();
  const shed = async () =>
    samplesOf(await daemon.text(), 'mmaplock_shed').flatMap(({ labels, value }) =>
      value === 1 ? [labels.what] : [],
    );
  assert.equal(samplesOf(await daemon.text(), 'mmaplock_shed').length, 7);
  assert.deepEqual(await shed(), []);
  daemon.shed = ['inspect', 'retries', 'reads'];
  assert.deepEqual(await shed(), ['holds', 'retries', 'reads', 'blocks']);
  daemon.shed = ['inspect'];
  assert.deepEqual(await shed(), ['holds']);
});

test('the cost of probes is absent where it is not measured', async () => {
  const cost = { cpuSeconds: 1, residentBytes: 1, mapBytes: 1, misses: new Map() };
  const text = await busyDaemon({
    cost: { ...cost, probeRunSeconds: undefined, probeCostRatio: undefined },
  }).text();
  for (const name of ['mmaplock_probe_run_seconds_total', 'mmaplock_probe_cost_ratio'])
    assert.deepEqual(samplesOf(text, name), [], name);
  assert.equal(valueIn(await busyDaemon().text(), 'mmaplock_probe_cost_ratio'), 0.003);
});
