import assert from 'node:assert/strict';
import { test } from 'node:test';
import { procFiles } from '../../../src/vocabulary.js';
import { openApp, problemOf } from '../../support/app.js';
import { epoch, planOf } from '../../support/daemon.js';
import { procFileRow, readerRow, tick } from '../../support/records.js';
import { busyDaemon, quietDaemon, silentDaemon } from '../../support/scenes.js';

interface List {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly complete: boolean;
}

test('readers: reads by name, cgroup and file with what the cgroup tells, most reads first, ids as strings', async (context) => {
  const daemon = quietDaemon({
    cgroups: {
      '18446744073709551615': {
        path: '/system.slice/agent.service',
        unit: 'agent.service',
        containerId: 'c0ffee',
        podUid: '00000000-0000-4000-8000-000000000000',
      },
    },
    processNames: { 4194304: 'postgres' },
  });
  const amounts = { opens: 4, reads: 9, retries: 1, fallbacks: 3, waits: 1, waitNanoseconds: 1000 };
  daemon.apply(
    tick(epoch + 2000, {
      procFiles: [
        procFileRow('maps', amounts),
        procFileRow('smaps', { opens: 5, reads: 20, waits: 2, waitNanoseconds: 1_500_000_000 }),
      ],
      readers: [
        readerRow('agent', 'maps', amounts),
        readerRow(
          'agent',
          'smaps',
          { opens: 5, reads: 20, waits: 2, waitNanoseconds: 1_500_000_000 },
          { cgroupId: '18446744073709551615', lastPid: 4_194_303, lastTargetPid: 4_194_304 },
        ),
      ],
    }),
  );
  const { ask } = await openApp(context, daemon);
  const answer = await ask('/api/v1/readers');
  assert.match(String(answer.headers['content-type']), /^application\/json\b/);
  assert.deepEqual(answer.json<List>().data, [
    {
      file: 'smaps',
      reader: 'agent',
      cgroup_id: '18446744073709551615',
      unit: 'agent.service',
      container_id: 'c0ffee',
      pod_uid: '00000000-0000-4000-8000-000000000000',
      opens_total: 5,
      reads_total: 20,
      retries_total: 0,
      fallbacks_total: 0,
      waits_total: 2,
      wait_seconds_total: 1.5,
      last_pid: '4194303',
      last_target_pid: '4194304',
      last_target: 'postgres',
      last_seen_at: '2025-06-01T12:00:02.000Z',
    },
    {
      file: 'maps',
      reader: 'agent',
      cgroup_id: '4711',
      unit: null,
      container_id: null,
      pod_uid: null,
      opens_total: 4,
      reads_total: 9,
      retries_total: 1,
      fallbacks_total: 3,
      waits_total: 1,
      wait_seconds_total: 0.000001,
      last_pid: '4242',
      last_target_pid: '42',
      last_target: null,
      last_seen_at: '2025-06-01T12:00:02.000Z',
    },
  ]);
});

test('readers: without a last reader and target their ids and name are null', async (context) => {
  const daemon = quietDaemon();
  daemon.apply(
    tick(epoch + 2000, {
      procFiles: [procFileRow('maps', { opens: 1 })],
      readers: [readerRow('cat', 'maps', { opens: 1 }, { lastPid: undefined, lastTargetPid: undefined })],
    }),
  );
  const { ask } = await openApp(context, daemon);
  const [row] = (await ask('/api/v1/readers')).json<List>().data;
  assert.deepEqual([row?.last_pid, row?.last_target_pid, row?.last_target], [null, null, null]);
});

test('readers: what is not observed is null, never 0', async (context) => {
  const daemon = busyDaemon({ plan: planOf(['waits', 'opens', 'reads']) });
  const { ask } = await openApp(context, daemon);
  const [row] = (await ask('/api/v1/readers?file=maps')).json<List>().data;
  assert.equal(row?.opens_total, 11);
  assert.equal(row?.reads_total, 33);
  for (const amount of ['retries_total', 'fallbacks_total', 'waits_total', 'wait_seconds_total'])
    assert.equal(row?.[amount], null, amount);
  const everything = await openApp(context, busyDaemon());
  const [remote] = (await everything.ask('/api/v1/readers?file=remote')).json<List>().data;
  assert.deepEqual([remote?.opens_total, remote?.reads_total, remote?.waits_total], [null, null, 1]);
  const [maps] = (await everything.ask('/api/v1/readers?file=maps')).json<List>().data;
  assert.deepEqual([maps?.fallbacks_total, remote?.fallbacks_total], [1, null]);
});

test('readers: none while nothing is observed', async (context) => {
  const { ask } = await openApp(context, silentDaemon());
  const { data, complete } = (await ask('/api/v1/readers')).json<List>();
  assert.deepEqual([data, complete], [[], true]);
});

test('readers of one file, and of one name whatever characters it has', async (context) => {
  const { ask } = await openApp(context, busyDaemon());
  const rows = async (query: string) =>
    (await ask(`/api/v1/readers?${query}`)).json<List>().data.map(({ file, reader }) => [file, reader]);
  assert.deepEqual(await rows('file=maps'), [['maps', 'cat']]);
  assert.deepEqual(await rows('file=pagemap'), []);
  assert.deepEqual(await rows(`reader=${encodeURIComponent('agent "x"')}`), [['smaps', 'agent "x"']]);
  assert.deepEqual(await rows('reader=agent'), []);
  assert.deepEqual(await rows('reader=__proto__'), []);
  assert.deepEqual(await rows('reader=cat&file=smaps'), []);
});

for (const query of ['file=', 'file=environ', 'file=MAPS', 'file=~unknown', 'file=maps%00'])
  test(`readers: ${query} is refused, and the files that exist are named`, async (context) => {
    const { ask } = await openApp(context);
    const { field, detail } = problemOf(await ask(`/api/v1/readers?${query}`), 400, 'invalid_parameter');
    assert.equal(field, 'file');
    assert.equal(detail, `file is none of ${procFiles.join(', ')}`);
  });
