import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordJson } from '../../../src/cli/record/json.js';
import { askLists } from '../../../src/cli/record/lists.js';
import { sentenceOf } from '../../../src/evidence/sentence.js';
import { openApp } from '../../support/app.js';
import { epoch, type FakeDaemon, planOf } from '../../support/daemon.js';
import { processRow, stall, stallReader, tick, waitRow } from '../../support/records.js';
import { busyDaemon, quietDaemon } from '../../support/scenes.js';

const jsonOf = async ({ view, ledger }: FakeDaemon) => {
  const recording = {
    view,
    startedAt: epoch,
    endedAt: epoch + 30_000,
    gaps: [{ reason: 'killed', seconds: 2 }] as const,
    incidents: ledger.incidents.list(),
  };
  // As it is printed: what JSON cannot hold would be lost here.
  return JSON.parse(JSON.stringify(recordJson(recording, await askLists(view)))) as ReturnType<
    typeof recordJson
  >;
};

test('when, for how long and where it was recorded', async () => {
  const json = await jsonOf(busyDaemon());
  assert.equal(json.v, 1);
  assert.equal(json.started_at, '2025-06-01T12:00:00.000Z');
  assert.equal(json.ended_at, '2025-06-01T12:00:30.000Z');
  assert.equal(json.observed_seconds, 28);
  assert.deepEqual(json.gaps, [{ reason: 'killed', seconds: 2 }]);
  assert.equal(json.host.kernel.release, '6.1.0-test-amd64');
  assert.deepEqual(
    json.host.lock_paths.map(({ file, path }) => [file, path]),
    [
      ['maps', 'per_vma_lock'],
      ['smaps', 'mmap_lock'],
    ],
  );
});

test('its rows are those of the API', async (context) => {
  const daemon = busyDaemon();
  const json = await jsonOf(daemon);
  const { ask } = await openApp(context, daemon);
  for (const name of ['waits', 'processes', 'readers', 'blocks'] as const) {
    const { data } = (await ask(`/api/v1/${name}`)).json<{ data: unknown[] }>();
    assert.ok(data.length > 0);
    assert.deepEqual(json[name]?.data, data, name);
    assert.equal(json[name]?.complete, true);
  }
  const { ongoing } = (await ask('/api/v1/waits')).json<{ ongoing: unknown[] }>();
  assert.deepEqual(json.waits.ongoing, ongoing);
});

test('what the API has no list for', async () => {
  const json = await jsonOf(busyDaemon());
  assert.deepEqual(json.convoys, { convoy_waits_total: 2, convoy_wait_seconds_total: 0.00006 });
  assert.deepEqual(json.vma_waits, { vma_waits_total: 4, vma_wait_seconds_total: 0.00075 });
  assert.deepEqual(
    json.writers_blocked_time?.find(({ file }) => file === 'smaps'),
    { file: 'smaps', writers_blocked_time_seconds_total: 0.003 },
  );
  assert.deepEqual(json.waits.durations, [
    { mode: 'read', from_seconds: 0.000016, to_seconds: 0.000032, waits_total: 3 },
    { mode: 'write', from_seconds: 0.002048, to_seconds: 0.004096, waits_total: 2 },
    { mode: 'write', from_seconds: 134.217728, to_seconds: null, waits_total: 1 },
  ]);
  assert.deepEqual(
    [
      json.lost_events_total,
      json.lost_updates.busy,
      json.decode_errors_total,
      json.map_overflows.process_waits,
    ],
    [9, 2, 1, 5],
  );
});

test('incidents with all their evidence, and the sentence that is told everywhere', async () => {
  const daemon = busyDaemon().apply(
    stall(epoch + 5_500, 180e6, { readers: [stallReader('agent', 'smaps', 180e6)] }),
  );
  const { incidents } = await jsonOf(daemon);
  assert.equal(incidents.complete, true);
  const [incident] = incidents.data;
  assert.equal(incident?.sentence, sentenceOf(daemon.ledger.incidents.list()[0]!));
  assert.equal(incident?.blocked_seconds, 0.18);
  assert.equal(incident?.timeline.points.length, 1);
});

test('what is not observed is null; what was looked at and not seen is 0 or empty', async () => {
  const quiet = await jsonOf(quietDaemon());
  assert.deepEqual([quiet.readers?.data, quiet.blocks?.data], [[], []]);
  assert.equal(quiet.convoys?.convoy_waits_total, 0);
  const blind = await jsonOf(busyDaemon({ plan: planOf(['waits', 'operations']) }));
  assert.deepEqual(
    [blind.readers, blind.blocks, blind.writers_blocked_time, blind.convoys, blind.vma_waits],
    [null, null, null, null, null],
  );
  assert.ok(blind.processes.data.length > 0);
  assert.equal(blind.observables.find(({ what }) => what === 'reads')?.reason?.code, 'no_fragment');
  const opens = await jsonOf(busyDaemon({ plan: planOf(['waits', 'operations', 'opens']) }));
  assert.deepEqual(
    opens.readers?.data.map(({ reads_total }) => reads_total),
    [null, null, null],
  );
});

test('a list longer than one page of the API is there as a whole', async () => {
  const names = Array.from({ length: 1500 }, (_, index) => `process-${index}`);
  const daemon = quietDaemon().apply(
    tick(epoch + 2000, {
      waits: [waitRow('write', 'mmap', 1500, 15e9)],
      processes: names.map((name) => processRow(name, 'write', 1, 1e7)),
    }),
  );
  const { processes } = await jsonOf(daemon);
  assert.deepEqual(processes.data.map(({ process }) => process).toSorted(), names.toSorted());
});
