import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { InjectOptions } from 'fastify';
import { type ErrorCode, MmaplockError } from '../../../src/errors.js';
import type { Inspected } from '../../../src/watch/inspector.js';
import { temporaryFolder } from '../../bpftrace/fake.js';
import { openApp, problemOf } from '../../support/app.js';
import { epoch, FakeDaemon, type FakeDaemonOptions } from '../../support/daemon.js';

const token = 'correct-horse-battery';
const authorization = `Bearer ${token}`;

const agent = { name: 'agent', cgroupId: '7' };
const mysqld = { name: 'mysqld', cgroupId: '8' };
const lastSeenAt = epoch + 5000;

const seen: Inspected = {
  startedAt: epoch,
  endedAt: epoch + 5000,
  blocks: [
    { file: 'smaps', reader: agent, victim: mysqld, count: 40, nanoseconds: 1_500_000_000, lastSeenAt },
    { file: '~unknown', reader: undefined, victim: mysqld, count: 2, nanoseconds: 20_000_000, lastSeenAt },
    {
      file: 'maps',
      reader: agent,
      victim: { ...mysqld, name: 'jvm' },
      count: 1,
      nanoseconds: 1_000_000,
      lastSeenAt,
    },
  ],
  holds: [{ file: 'smaps', count: 41_204, nanoseconds: 2_500_000_000 }],
  stacks: [{ frames: ['rwsem_down_write_slowpath', 'vm_munmap'], count: 40 }],
  complete: true,
};

/** An application in which inspect mode is on, and what was asked of the inspector. */
const open = async (
  context: TestContext,
  { inspect = async () => seen, ...options }: FakeDaemonOptions & { inspect?: () => Promise<Inspected> } = {},
) => {
  const file = join(temporaryFolder(context), 'token');
  writeFileSync(file, `${token}\n`);
  const asked: number[] = [];
  const daemon = new FakeDaemon({
    flags: { 'inspect.api': 'on', 'inspect.token_file': file },
    processNames: { 42: 'mysqld', 43: 'idle' },
    inspector: {
      running: false,
      seconds: 0,
      inspect: (seconds) => {
        asked.push(seconds);
        return inspect();
      },
    },
    ...options,
  });
  const app = await openApp(context, daemon);
  const post = (query = '', headers: InjectOptions['headers'] = { authorization }) =>
    app.ask(`/api/v1/inspect${query}`, { method: 'POST', headers });
  return { ...app, file, asked, post };
};

interface Answer {
  readonly data: readonly Readonly<Record<string, unknown>>[];
}

test('inspect: who blocked whom by overlap, how long readers held the lock, and where writers stood', async (context) => {
  const cgroups = { '7': { path: '/a', unit: 'agent.service', containerId: 'c0ffee', podUid: undefined } };
  const { post, asked } = await open(context, { cgroups });
  const answer = await post();
  assert.equal(answer.statusCode, 200, answer.body);
  assert.match(String(answer.headers['content-type']), /^application\/json\b/);
  const { data, ...rest } = answer.json<Answer>();
  assert.deepEqual(rest, {
    started_at: '2025-06-01T12:00:00.000Z',
    ended_at: '2025-06-01T12:00:05.000Z',
    evidence: 'overlap',
    complete: true,
    holds: [{ file: 'smaps', holds_total: 41_204, hold_seconds_total: 2.5 }],
    kernel_stacks: [{ frames: ['rwsem_down_write_slowpath', 'vm_munmap'], count: 40 }],
  });
  assert.deepEqual(data[0], {
    file: 'smaps',
    reader: 'agent',
    reader_cgroup_id: '7',
    reader_unit: 'agent.service',
    reader_container_id: 'c0ffee',
    reader_pod_uid: null,
    victim: 'mysqld',
    victim_cgroup_id: '8',
    victim_unit: null,
    victim_container_id: null,
    victim_pod_uid: null,
    blocks_total: 40,
    block_seconds_total: 1.5,
  });
  assert.deepEqual(
    data.map(({ file, reader, victim }) => [file, reader, victim]),
    [
      ['smaps', 'agent', 'mysqld'],
      ['~unknown', '~unknown', 'mysqld'],
      ['maps', 'agent', 'jvm'],
    ],
  );
  assert.deepEqual(asked, [5], 'seconds, unless told otherwise');
});

test('inspect: answers as /openapi.json describes it', async (context) => {
  const { ask, post } = await open(context);
  const { paths } = (await ask('/openapi.json')).json();
  const { schema } = paths['/api/v1/inspect'].post.responses['200'].content['application/json'];
  const answer = (await post()).json<Record<string, Record<string, unknown>[]>>();
  assert.deepEqual(Object.keys(answer).sort(), Object.keys(schema.properties).sort());
  for (const list of ['data', 'holds', 'kernel_stacks'])
    assert.deepEqual(
      Object.keys(answer[list]![0]!).sort(),
      Object.keys(schema.properties[list].items.properties).sort(),
      list,
    );
});

test('inspect: what was lost on the way is told', async (context) => {
  const { post } = await open(context, { inspect: async () => ({ ...seen, complete: false }) });
  assert.equal((await post()).json().complete, false);
});

test('inspect: only blocks of one process are asked for by its pid', async (context) => {
  const { post } = await open(context);
  const victims = async (query: string) =>
    (await post(query)).json<Answer>().data.map(({ victim }) => victim);
  assert.deepEqual(await victims('?target=42'), ['mysqld', 'mysqld']);
  assert.deepEqual(await victims('?target=43'), []);
});

test('inspect: a pid of no process is refused before anything is started', async (context) => {
  const { post, asked } = await open(context);
  const { field, detail } = problemOf(await post('?target=44'), 400, 'invalid_parameter');
  assert.deepEqual([field, detail], ['target', 'there is no process 44']);
  assert.deepEqual(asked, []);
});

for (const seconds of [1, 7, 10])
  test(`inspect: ${seconds} s`, async (context) => {
    const { post, asked } = await open(context);
    assert.equal((await post(`?seconds=${seconds}`)).statusCode, 200);
    assert.deepEqual(asked, [seconds]);
  });

for (const [query, code, field] of [
  ['seconds=0', 'invalid_parameter', 'seconds'],
  ['seconds=11', 'invalid_parameter', 'seconds'],
  ['seconds=-1', 'invalid_parameter', 'seconds'],
  ['seconds=1.5', 'invalid_parameter', 'seconds'],
  ['seconds=1e999', 'invalid_parameter', 'seconds'],
  ['seconds=5s', 'invalid_parameter', 'seconds'],
  ['seconds=', 'invalid_parameter', 'seconds'],
  ['seconds=1&seconds=2', 'invalid_parameter', 'seconds'],
  ['target=', 'invalid_parameter', 'target'],
  ['target=0', 'invalid_parameter', 'target'],
  ['target=-1', 'invalid_parameter', 'target'],
  ['target=self', 'invalid_parameter', 'target'],
  ['target=42/../1', 'invalid_parameter', 'target'],
  ['target=99999999999', 'invalid_parameter', 'target'],
  ['target=42&target=43', 'invalid_parameter', 'target'],
  ['pid=42', 'unknown_parameter', 'pid'],
] as const)
  test(`inspect: ${query} is refused`, async (context) => {
    const { post, asked } = await open(context);
    assert.equal(problemOf(await post(`?${query}`), 400, code).field, field);
    assert.deepEqual(asked, []);
  });

test('inspect: off unless switched on, and then says how', async (context) => {
  const { post, asked } = await open(context, { flags: {} });
  const { fix } = problemOf(await post(), 403, 'inspect_off');
  assert.match(fix, /inspect\.api.*inspect\.token_file/);
  assert.deepEqual(asked, []);
});

test('inspect: without the token nothing is started, and nothing else is told', async (context) => {
  const { post, asked, log } = await open(context);
  for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: `Basic ${token}` }]) {
    const answer = await post('?seconds=99', headers);
    problemOf(answer, 401, 'unauthorized');
    assert.equal(answer.headers['www-authenticate'], 'Bearer');
  }
  assert.deepEqual(asked, []);
  assert.deepEqual(log, [], 'what clients do wrong does not fill the log');
});

test('inspect: ten failures within a minute are enough', async (context) => {
  const { post, daemon, asked } = await open(context);
  for (let failure = 0; failure < 10; failure += 1) problemOf(await post('', {}), 401, 'unauthorized');
  daemon.now += 20_000;
  const answer = await post();
  problemOf(answer, 429, 'too_many_failures');
  assert.equal(answer.headers['retry-after'], '40');
  assert.deepEqual(asked, []);
  daemon.now += 40_000;
  assert.equal((await post()).statusCode, 200);
});

test('inspect: a token can be changed while the daemon runs', async (context) => {
  const { post, file } = await open(context);
  writeFileSync(file, 'another-token-of-ours');
  problemOf(await post(), 401, 'unauthorized');
  assert.equal((await post('', { authorization: 'Bearer another-token-of-ours' })).statusCode, 200);
});

test('inspect: without a readable token nobody is let in; the log says so once an hour, with the path', async (context) => {
  const { post, file, daemon, log, asked } = await open(context);
  rmSync(file);
  const answers = [await post(), await post('', {}), await post('', { authorization: 'Bearer' })];
  for (const answer of answers) {
    const { field } = problemOf(answer, 503, 'token_unreadable');
    assert.equal(field, 'inspect.token_file');
    assert.ok(!answer.body.includes(file));
  }
  writeFileSync(file, 'short');
  problemOf(await post('', { authorization: 'Bearer short' }), 503, 'token_unreadable');
  assert.equal(log.length, 1);
  const { level, path, err } = JSON.parse(log[0]!);
  assert.deepEqual([level, path, err.code], ['warn', file, 'token_unreadable']);
  daemon.now += 3_600_000;
  await post();
  assert.equal(JSON.parse(log[1]!).unsaid, 3);
  assert.deepEqual(asked, []);
});

test('inspect: a page of another origin is refused even with the token, and costs no failure', async (context) => {
  const { post, asked } = await open(context);
  for (const origin of ['https://evil.example', 'http://localhost:3000', 'null', 'http://localhost'])
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const answer = await post('', { authorization, origin });
      assert.equal(problemOf(answer, 403, 'origin_not_allowed').field, 'Origin');
      assert.equal(answer.headers['access-control-allow-origin'], undefined);
    }
  assert.deepEqual(asked, []);
  assert.equal((await post('', { authorization, origin: 'http://localhost:10465' })).statusCode, 200);
});

test('inspect: a name that was rebound is refused before the token is looked at', async (context) => {
  const { post } = await open(context);
  problemOf(await post('', { authorization, host: 'evil.example' }), 421, 'host_not_allowed');
});

const ends: readonly (readonly [ErrorCode, number])[] = [
  ['inspect_running', 409],
  ['inspect_unavailable', 503],
  ['tracer_start_timeout', 503],
  ['tracer_killed', 503],
  ['tracer_exited', 503],
  ['program_rejected', 503],
  ['attach_incomplete', 503],
  ['not_root', 503],
];
for (const [code, status] of ends)
  test(`inspect: ${code} is told with ${status}`, async (context) => {
    const { post } = await open(context, {
      inspect: () => Promise.reject(new MmaplockError(code, 'it ended so')),
    });
    assert.equal(problemOf(await post(), status, code).detail, 'it ended so');
  });

test('inspect: takes POST only, and says so', async (context) => {
  const { ask, asked } = await open(context);
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
    const answer = await ask('/api/v1/inspect', { method, headers: { authorization } });
    const { detail, fix } = problemOf(answer, 405, 'method_not_allowed');
    assert.match(detail, new RegExp(method));
    assert.match(fix, /POST/);
    assert.equal(answer.headers.allow, 'POST');
  }
  assert.deepEqual(asked, []);
});

test('inspect: a body is not read', async (context) => {
  const { ask } = await open(context);
  for (const [type, payload] of [
    ['application/json', '{'],
    ['application/json', ''],
    ['application/x-www-form-urlencoded', 'seconds=99'],
  ] as const) {
    const headers = { authorization, 'content-type': type };
    assert.equal((await ask('/api/v1/inspect', { method: 'POST', headers, payload })).statusCode, 200, type);
  }
});

test('inspect: is not there on a listener for metrics', async (context) => {
  const { ask } = await openApp(context, new FakeDaemon(), 'metrics');
  problemOf(await ask('/api/v1/inspect', { method: 'POST' }), 404, 'not_found');
});
