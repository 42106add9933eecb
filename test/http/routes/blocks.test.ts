import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observables, procFiles } from '../../../src/vocabulary.js';
import { openApp, problemOf } from '../../support/app.js';
import { epoch, planOf } from '../../support/daemon.js';
import { blockRow, readerBlockRow, tick, waitRow } from '../../support/records.js';
import { busyDaemon, quietDaemon, silentDaemon } from '../../support/scenes.js';

interface List {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly complete: boolean;
}

const identity = {
  path: '/system.slice/agent.service',
  unit: 'agent.service',
  containerId: 'c0ffee',
  podUid: '00000000-0000-4000-8000-000000000000',
};

test('blocks: who made whom wait, most seconds first, with what both cgroups tell', async (context) => {
  const daemon = quietDaemon({
    cgroups: { '18446744073709551615': identity, '7': { ...identity, unit: 'mysql.service' } },
  });
  const reader = { name: 'agent', cgroupId: '18446744073709551615' };
  daemon.apply(
    tick(epoch + 2000, {
      waits: [waitRow('write', 'munmap', 5, 2_000_000_000)],
      blocks: [blockRow('smaps', 4, 1_500_000_000), blockRow(undefined, 1, 500_000_000)],
      readerBlocks: [
        readerBlockRow(undefined, 'mysqld', undefined, 1, 500_000_000),
        {
          file: 'smaps',
          reader,
          victim: { name: 'mysqld', cgroupId: '7' },
          count: 4,
          nanoseconds: 1_500_000_000,
        },
      ],
    }),
  );
  const { ask } = await openApp(context, daemon);
  const answer = await ask('/api/v1/blocks');
  assert.match(String(answer.headers['content-type']), /^application\/json\b/);
  assert.deepEqual(answer.json<List>().data, [
    {
      file: 'smaps',
      reader: 'agent',
      reader_cgroup_id: '18446744073709551615',
      reader_unit: 'agent.service',
      reader_container_id: 'c0ffee',
      reader_pod_uid: '00000000-0000-4000-8000-000000000000',
      victim: 'mysqld',
      victim_cgroup_id: '7',
      victim_unit: 'mysql.service',
      victim_container_id: 'c0ffee',
      victim_pod_uid: '00000000-0000-4000-8000-000000000000',
      blocks_total: 4,
      block_seconds_total: 1.5,
      last_seen_at: '2025-06-01T12:00:02.000Z',
    },
    {
      file: '~unknown',
      reader: '~unknown',
      reader_cgroup_id: null,
      reader_unit: null,
      reader_container_id: null,
      reader_pod_uid: null,
      victim: 'mysqld',
      victim_cgroup_id: '4711',
      victim_unit: null,
      victim_container_id: null,
      victim_pod_uid: null,
      blocks_total: 1,
      block_seconds_total: 0.5,
      last_seen_at: '2025-06-01T12:00:02.000Z',
    },
  ]);
});

test('blocks: none while nothing is observed', async (context) => {
  const { ask } = await openApp(context, silentDaemon());
  const { data, complete } = (await ask('/api/v1/blocks')).json<List>();
  assert.deepEqual([data, complete], [[], true]);
});

test('blocks of one file, one reader, one victim', async (context) => {
  const { ask } = await openApp(context, busyDaemon());
  const files = async (query: string) =>
    (await ask(`/api/v1/blocks?${query}`)).json<List>().data.map(({ file }) => file);
  assert.deepEqual(await files(''), ['smaps', '~unknown']);
  assert.deepEqual(await files('file=smaps'), ['smaps']);
  assert.deepEqual(await files('file=~unknown'), ['~unknown']);
  assert.deepEqual(await files('file=maps'), []);
  assert.deepEqual(await files(`reader=${encodeURIComponent('agent "x"')}`), ['smaps']);
  assert.deepEqual(await files('reader=~unknown'), ['~unknown']);
  assert.deepEqual(await files('reader=agent'), []);
  assert.deepEqual(await files('victim=mysqld'), ['smaps', '~unknown']);
  assert.deepEqual(await files('victim=mysqld&file=smaps&reader=~unknown'), []);
  assert.deepEqual(await files('victim=__proto__'), []);
});

for (const query of ['file=', 'file=environ', 'file=SMAPS', 'file=unknown', 'file=smaps%00'])
  test(`blocks: ${query} is refused, and the files that exist are named`, async (context) => {
    const { ask } = await openApp(context);
    const { field, detail } = problemOf(await ask(`/api/v1/blocks?${query}`), 400, 'invalid_parameter');
    assert.equal(field, 'file');
    assert.equal(detail, `file is none of ${procFiles.join(', ')}, ~unknown`);
  });

test('blocks: a victim longer than any name can be is refused', async (context) => {
  const { ask } = await openApp(context);
  const answer = await ask(`/api/v1/blocks?victim=${'a'.repeat(65)}`);
  assert.equal(problemOf(answer, 400, 'invalid_parameter').field, 'victim');
});

test('the list says what its shares rest on', async (context) => {
  const evidenceOf = async (daemon = busyDaemon()) => {
    const { ask } = await openApp(context, daemon);
    return (await ask('/api/v1/blocks')).json<{ evidence: string }>().evidence;
  };
  assert.equal(await evidenceOf(), 'windows');
  const without = planOf(observables.filter((what) => what !== 'retries'));
  assert.equal(await evidenceOf(busyDaemon({ plan: without })), 'lock_word');
});
