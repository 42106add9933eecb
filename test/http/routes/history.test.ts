import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { History } from '../../../src/api/history.js';
import { openApp, problemOf } from '../../support/app.js';
import { epoch, planOf } from '../../support/daemon.js';
import { tick } from '../../support/records.js';
import { busyDaemon, quietDaemon, silentDaemon } from '../../support/scenes.js';

test('the last minutes in columns: waits by operation, durations, files, who blocked whom', async (context) => {
  const { ask } = await openApp(context, busyDaemon());
  const answer = await ask('/api/v1/history');
  assert.equal(answer.statusCode, 200);
  const { columns, operations, column_seconds, duration_bounds_seconds } = answer.json<History>();
  assert.equal(column_seconds, 5);
  const [column] = columns;
  assert.equal(column?.at, new Date(epoch).toISOString());
  assert.equal(column?.waits[operations.indexOf('munmap')], 2);
  assert.equal(column?.wait_seconds[operations.indexOf('munmap')], 0.006);
  assert.equal(
    column?.durations.write.length,
    duration_bounds_seconds.length + 1,
    'the last counts those over all bounds',
  );
  assert.deepEqual(
    column?.blocks.map(({ file, reader, victim, block_seconds }) => [file, reader, victim, block_seconds]),
    [
      ['smaps', 'agent "x"', 'mysqld', 0.0055],
      ['~unknown', '~unknown', 'mysqld', 0.0005],
    ],
  );
  const maps = column?.files.find(({ file }) => file === 'maps');
  assert.deepEqual([maps?.opens, maps?.reads, maps?.retries, maps?.fallbacks], [11, 33, 4, 1]);
});

test('what is not observed is null, and never 0', async (context) => {
  const daemon = busyDaemon();
  daemon.plan = planOf(['waits', 'opens', 'reads']);
  const { ask } = await openApp(context, daemon);
  const { columns } = (await ask('/api/v1/history')).json<History>();
  const maps = columns[0]?.files.find(({ file }) => file === 'maps');
  assert.deepEqual([maps?.reads, maps?.retries, maps?.writers_blocked_seconds], [33, null, null]);
});

test('the sentence says what there is to say', async (context) => {
  const quiet = await openApp(context, quietDaemon().apply(tick(epoch + 5000)));
  assert.match(
    (await quiet.ask('/api/v1/history')).json<History>().sentence,
    /Nobody waited for an mmap_lock\.$/,
  );
  const silent = await openApp(context, silentDaemon());
  const { sentence, columns, as_of } = (await silent.ask('/api/v1/history')).json<History>();
  assert.match(sentence, /^This host is not observed right now: /);
  assert.deepEqual([columns, as_of], [[], null]);
});

test('it takes no parameters', async (context) => {
  const { ask } = await openApp(context, quietDaemon());
  const problem = problemOf(await ask('/api/v1/history?since=5m'), 400, 'unknown_parameter');
  assert.equal(problem.field, 'since');
});
