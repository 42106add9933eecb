import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitPairs } from '../../../src/vocabulary.js';
import { openApp, problemOf } from '../../support/app.js';
import { epoch } from '../../support/daemon.js';
import { ongoingWait, tick } from '../../support/records.js';
import { busyDaemon, quietDaemon } from '../../support/scenes.js';

interface Row {
  readonly [name: string]: unknown;
}
interface List {
  readonly data: readonly Row[];
  readonly ongoing: readonly Row[];
}

test('waits: totals by mode and operation, most waited for first', async (context) => {
  const { ask } = await openApp(context, busyDaemon());
  const answer = await ask('/api/v1/waits');
  assert.match(String(answer.headers['content-type']), /^application\/json\b/);
  const { data } = answer.json<List>();
  assert.equal(data.length, waitPairs.length);
  assert.deepEqual(data.slice(0, 3), [
    { mode: 'write', operation: 'mmap', waits_total: 1, wait_seconds_total: 268.435456 },
    { mode: 'write', operation: 'munmap', waits_total: 2, wait_seconds_total: 0.006 },
    { mode: 'read', operation: 'page_fault', waits_total: 3, wait_seconds_total: 0.00009 },
  ]);
});

test('waits still going on: oldest first, ids as strings, the name null when the process is gone', async (context) => {
  const daemon = quietDaemon({ processNames: { 4194304: 'postgres' } });
  const foreign = { foreign: true, pid: 4_194_304, tid: 4_194_305 };
  daemon.apply(
    tick(epoch + 2000, {
      ongoing: [
        ongoingWait('write', 'munmap', 0.5, { pid: 7, tid: 8 }),
        ongoingWait('read', 'proc_read', 2, foreign),
      ],
    }),
  );
  const { ask } = await openApp(context, daemon);
  assert.deepEqual((await ask('/api/v1/waits')).json<List>().ongoing, [
    {
      mode: 'read',
      operation: 'proc_read',
      foreign: true,
      pid: '4194304',
      tid: '4194305',
      process: 'postgres',
      seconds: 2,
    },
    { mode: 'write', operation: 'munmap', foreign: false, pid: '7', tid: '8', process: null, seconds: 0.5 },
  ]);
});

test('waits of one mode only, in totals and in those still going on', async (context) => {
  const { ask } = await openApp(context, busyDaemon());
  for (const [mode, stillGoingOn] of [
    ['read', 2],
    ['write', 0],
  ] as const) {
    const { data, ongoing } = (await ask(`/api/v1/waits?mode=${mode}`)).json<List>();
    assert.equal(data.length, waitPairs.filter(([of]) => of === mode).length);
    assert.ok(data.every((row) => row.mode === mode));
    assert.equal(ongoing.length, stillGoingOn);
  }
});

for (const query of [
  'mode=',
  'mode=x',
  'mode=READ',
  'mode',
  'mode=null',
  'mode=read&mode=write',
  'mode=read%00',
])
  test(`waits: ${query} is refused`, async (context) => {
    const { ask } = await openApp(context);
    assert.equal(problemOf(await ask(`/api/v1/waits?${query}`), 400, 'invalid_parameter').field, 'mode');
  });

test('waits of one operation only, in totals and in those still going on', async (context) => {
  const { ask } = await openApp(context, busyDaemon());
  const { data, ongoing } = (await ask('/api/v1/waits?operation=page_fault')).json<List>();
  assert.deepEqual(
    data.map(({ mode, operation }) => [mode, operation]),
    [
      ['read', 'page_fault'],
      ['write', 'page_fault'],
    ],
  );
  assert.equal(ongoing.length, 2);
  assert.deepEqual((await ask('/api/v1/waits?operation=mmap')).json<List>().ongoing, []);
  const refused = problemOf(await ask('/api/v1/waits?operation=x'), 400, 'invalid_parameter');
  assert.equal(refused.field, 'operation');
});
