import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observables } from '../../src/vocabulary.js';
import { epoch, planOf } from '../support/daemon.js';
import { parseExposition, samplesOf, valueIn } from '../support/exposition.js';
import { tick, victimVmaWaitRow } from '../support/records.js';
import { busyDaemon, quietDaemon, silentDaemon } from '../support/scenes.js';

const [waits, seconds, byVictim] = [
  'mmaplock_vma_waits_total',
  'mmaplock_vma_wait_seconds_total',
  'mmaplock_victim_vma_wait_seconds_total',
];
const families = [waits, seconds, byVictim];

test('before the first tick, and where VMA waits are not observed, their families are absent, and only theirs', async () => {
  const daemon = silentDaemon();
  daemon.apply({ kind: 'tracer_started', at: epoch });
  const silent = await daemon.text();
  const without = planOf(observables.filter((what) => what !== 'vma_waits'));
  const blind = await busyDaemon({ plan: without }).text();
  for (const family of families) {
    assert.deepEqual(samplesOf(silent, family), [], family);
    assert.deepEqual(samplesOf(blind, family), [], family);
  }
  const absent = [...parseExposition(await busyDaemon().text())]
    .filter(([name]) => (parseExposition(blind).get(name)?.samples ?? []).length === 0)
    .map(([name]) => name);
  assert.deepEqual(absent, families);
});

test('from the first tick on they are there at 0', async () => {
  const text = await quietDaemon().text();
  assert.equal(valueIn(text, waits), 0);
  assert.equal(valueIn(text, seconds), 0);
  assert.deepEqual(
    samplesOf(text, byVictim).map(({ labels, value }) => [labels, value]),
    [[{ victim: '~other' }, 0]],
  );
});

test('over all victims the seconds are the total; they stand while the tracer is down, and go on', async () => {
  const daemon = busyDaemon();
  const sum = async (): Promise<number> => {
    const nanoseconds = samplesOf(await daemon.text(), byVictim).map(({ value }) => Math.round(value * 1e9));
    return nanoseconds.reduce((total, value) => total + value, 0);
  };
  assert.equal(await sum(), 750_000);
  daemon.apply({ kind: 'tracer_stopped', at: epoch + 6000, reason: 'exited', handedOver: true });
  assert.equal(await sum(), 750_000);
  daemon.apply(
    { kind: 'tracer_started', at: epoch + 7000 },
    // Of the second no name is known: its row was left out.
    tick(epoch + 7000, {
      vmaWaits: { count: 2, nanoseconds: 9000 },
      victimVmaWaits: [victimVmaWaitRow('mysqld', 1, 4000)],
    }),
  );
  assert.equal(await sum(), 759_000);
  const text = await daemon.text();
  assert.equal(valueIn(text, seconds), 0.000759);
  assert.equal(valueIn(text, byVictim, { victim: '~other' }), 0.000005);
});

const convoys = [
  'mmaplock_convoy_waits_total',
  'mmaplock_convoy_wait_seconds_total',
  'mmaplock_victim_convoy_wait_seconds_total',
];
const blockedTime = 'mmaplock_writers_blocked_time_seconds_total';

test('convoys and wall time are those of the records, at 0 from the first tick, and absent where not observed', async () => {
  const quiet = await quietDaemon().text();
  for (const family of [...convoys, blockedTime])
    assert.deepEqual(
      samplesOf(quiet, family).filter(({ value }) => value !== 0),
      [],
      family,
    );
  for (const family of [...convoys, blockedTime]) assert.ok(samplesOf(quiet, family).length > 0, family);

  const text = await busyDaemon().text();
  assert.deepEqual(
    convoys.slice(0, 2).map((family) => valueIn(text, family)),
    [2, 0.00006],
  );
  assert.equal(valueIn(text, convoys[2]!, { victim: 'mysqld' }), 0.00006);
  assert.equal(valueIn(text, blockedTime, { file: 'smaps' }), 0.003);

  const without = planOf(observables.filter((what) => what !== 'convoys' && what !== 'blocked_time'));
  const blind = await busyDaemon({ plan: without }).text();
  for (const family of [...convoys, blockedTime]) assert.deepEqual(samplesOf(blind, family), [], family);
});
