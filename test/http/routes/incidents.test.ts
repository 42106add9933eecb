import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApp, problemOf } from '../../support/app.js';
import { epoch, FakeDaemon } from '../../support/daemon.js';
import { ongoingWait, stall, stallReader, tick } from '../../support/records.js';
import { silentDaemon } from '../../support/scenes.js';

interface Row {
  readonly id: string;
  readonly state: string;
  readonly sentence: string;
  readonly victim: { readonly name: string };
}
interface List {
  readonly data: readonly Row[];
  readonly next_cursor: string | null;
  readonly as_of: string | null;
  readonly complete: boolean;
}

const ms = 1e6;
const victim = (name: string, pid: number) => ({ name, cgroupId: '4711', pid, tid: pid });

const cgroup = (unit: string) => ({
  path: `/system.slice/${unit}`,
  unit,
  containerId: undefined,
  podUid: undefined,
});

/** Three incidents: one closed behind a reader, one closed behind none, one that is still open. */
const daemonWithIncidents = (): FakeDaemon =>
  new FakeDaemon({ cgroups: { 4711: cgroup('mysql.service'), 4712: cgroup('atop.service') } }).apply(
    { kind: 'tracer_started', at: epoch },
    stall(epoch + 1000, 180 * ms, {
      victim: victim('mysqld', 42),
      readers: [stallReader('atop', 'smaps', 170 * ms, { nice: 19, offCpuNanoseconds: 120 * ms })],
      convoy: { count: 41, nanoseconds: 900 * ms, longestQueue: 12 },
    }),
    stall(epoch + 2000, 900 * ms, { victim: victim('redis', 43), operation: 'mmap' }),
    tick(epoch + 30_000),
    stall(epoch + 31_000, 60 * ms, {
      victim: victim('jvm', 44),
      readers: [stallReader('agent', 'pagemap', 60 * ms)],
    }),
    tick(epoch + 32_000, { ongoing: [ongoingWait('write', 'munmap', 0.5, { pid: 44, tid: 45 })] }),
  );

test('/api/v1/incidents: the newest first, each with its sentence', async (context) => {
  const { ask } = await openApp(context, daemonWithIncidents());
  const { data, next_cursor, as_of, complete } = (await ask('/api/v1/incidents')).json<List>();
  assert.deepEqual(
    data.map((row) => [row.victim.name, row.state]),
    [
      ['jvm', 'open'],
      ['redis', 'closed'],
      ['mysqld', 'closed'],
    ],
  );
  assert.deepEqual([next_cursor, as_of, complete], [null, '2025-06-01T12:00:32.000Z', true]);
  assert.match(data[0]!.sentence, /^`agent` .* so far/);
});

test('a row of an incident, whole', async (context) => {
  const { ask } = await openApp(context, daemonWithIncidents());
  const [row] = (await ask('/api/v1/incidents?victim=mysqld')).json<List>().data;
  const identity = { container_id: null, pod_uid: null };
  assert.match(row!.id, /^\d{13}-\d{6}$/);
  assert.deepEqual(row, {
    id: row!.id,
    state: 'closed',
    sentence:
      '`atop` (unit atop.service) read smaps of `mysqld` (unit mysql.service) and blocked its munmap for 180 ms; its ' +
      'share is 94 %; it was without a CPU for 120 ms of it, at nice 19; 41 page faults queued behind it.',
    advice: [
      'Start atop without -R (and do not press R in it): only proportional memory sizes need smaps.',
      '`atop` had no CPU for 120 ms while others waited for it: its nice value is 19; raise its priority, or its CPU ' +
        'quota.',
    ],
    evidence: 'windows',
    cause: 'wait',
    opened_at: '2025-06-01T12:00:00.820Z',
    last_at: '2025-06-01T12:00:01.000Z',
    closed_at: '2025-06-01T12:00:30.000Z',
    duration_seconds: 0.18,
    victim: { name: 'mysqld', pid: '42', cgroup_id: '4711', unit: 'mysql.service', ...identity },
    file: 'smaps',
    lock_path: 'mmap_lock',
    readers: [
      {
        name: 'atop',
        pid: '4242',
        cgroup_id: '4712',
        unit: 'atop.service',
        ...identity,
        file: 'smaps',
        is_victim: false,
        share_seconds: 0.17,
        waits_total: 1,
        nice: 19,
        off_cpu_seconds: 0.12,
      },
    ],
    other_readers_total: 0,
    other_readers_share_seconds: 0,
    operations: [{ operation: 'munmap', waits_total: 1, wait_seconds_total: 0.18 }],
    waits_total: 1,
    wait_seconds_total: 0.18,
    longest_wait_seconds: 0.18,
    ongoing_waits: 0,
    blocked_seconds: 0.18,
    unknown_seconds: 0.01,
    convoy_waits_total: 41,
    convoy_wait_seconds_total: 0.9,
    convoy_longest_queue: 12,
    interrupted: false,
    looked_for: 'windows',
  });
});

test('incidents by victim, reader, file, state and time', async (context) => {
  const { ask } = await openApp(context, daemonWithIncidents());
  const victims = async (query: string) =>
    (await ask(`/api/v1/incidents?${query}`))
      .json<List>()
      .data.map((row) => row.victim.name)
      .sort();
  assert.deepEqual(await victims('reader=atop'), ['mysqld']);
  assert.deepEqual(await victims('reader=nobody'), []);
  assert.deepEqual(await victims('file=pagemap'), ['jvm']);
  assert.deepEqual(await victims('file=none'), ['redis']);
  assert.deepEqual(await victims('state=open'), ['jvm']);
  assert.deepEqual(await victims('state=closed'), ['mysqld', 'redis']);
  assert.deepEqual(await victims('since=10s'), ['jvm']);
  assert.deepEqual(await victims('since=2025-06-01T12:00:01.500Z'), ['jvm', 'redis']);
});

test('incidents by duration and by blocked time, page by page', async (context) => {
  const { ask } = await openApp(context, daemonWithIncidents());
  for (const sort of ['-duration_seconds', '-blocked_seconds', '-opened_at', 'opened_at']) {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const next: string = cursor === null ? '' : `&cursor=${cursor}`;
      const page: List = (await ask(`/api/v1/incidents?limit=1&sort=${sort}${next}`)).json<List>();
      seen.push(...page.data.map((row) => row.victim.name));
      cursor = page.next_cursor;
    } while (cursor !== null);
    assert.equal(new Set(seen).size, 3, sort);
    const first = { '-duration_seconds': 'jvm', '-blocked_seconds': 'redis', '-opened_at': 'jvm' }[sort];
    if (first !== undefined) assert.equal(seen[0], first, sort);
  }
});

for (const [query, field] of [
  ['file=environ', 'file'],
  ['state=done', 'state'],
  ['sort=sentence', 'sort'],
  ['since=yesterday', 'since'],
  ['limit=0', 'limit'],
] as const)
  test(`incidents: ${query} is refused`, async (context) => {
    const { ask } = await openApp(context);
    assert.equal(problemOf(await ask(`/api/v1/incidents?${query}`), 400, 'invalid_parameter').field, field);
  });

test('incidents: none while nothing is observed', async (context) => {
  const { ask } = await openApp(context, silentDaemon());
  assert.deepEqual((await ask('/api/v1/incidents')).json<List>().data, []);
});

test('the list says when it is not all: victims that were too many', async (context) => {
  const daemon = new FakeDaemon().apply(
    ...Array.from({ length: 51 }, (_, index) =>
      stall(epoch + 1000, 60 * ms, { victim: victim(`v${index}`, index + 1) }),
    ),
  );
  const { ask } = await openApp(context, daemon);
  const { data, complete } = (await ask('/api/v1/incidents')).json<List>();
  assert.deepEqual([data.length, complete], [50, false]);
});

test('/api/v1/incidents/{id}: with timeline, inspected readers and kernel stacks', async (context) => {
  const daemon = daemonWithIncidents();
  const { id } = daemon.ledger.incidents.list()[0]!;
  daemon.ledger.incidents.addInspection(id, {
    readers: [{ name: 'atop', cgroupId: '4712', pid: 4242, tid: 4242, file: 'smaps', nanoseconds: 165 * ms }],
    stacks: [{ frames: ['rwsem_down_write_slowpath', '__vm_munmap'], count: 7 }],
  });
  const { ask } = await openApp(context, daemon);
  const [row] = (await ask('/api/v1/incidents?victim=mysqld')).json<List>().data;
  const { timeline, inspected_readers, kernel_stacks, ...rest } = (await ask(`/api/v1/incidents/${id}`)).json<
    Row & Record<string, unknown>
  >();
  assert.deepEqual(rest, row);
  assert.equal((row as unknown as { evidence: string }).evidence, 'overlap');
  assert.deepEqual(timeline, {
    step_seconds: 1,
    points: [
      { at: '2025-06-01T12:00:00.000Z', blocked_seconds: 0.18, waits_total: 0, convoy_waits_total: 0 },
      { at: '2025-06-01T12:00:01.000Z', blocked_seconds: 0, waits_total: 1, convoy_waits_total: 41 },
    ],
  });
  assert.deepEqual(kernel_stacks, [{ frames: ['rwsem_down_write_slowpath', '__vm_munmap'], count: 7 }]);
  assert.deepEqual(inspected_readers, [
    {
      name: 'atop',
      pid: '4242',
      cgroup_id: '4712',
      unit: 'atop.service',
      container_id: null,
      pod_uid: null,
      file: 'smaps',
      overlap_seconds: 0.165,
    },
  ]);
});

test('an incident that is not kept, or never was, is not found', async (context) => {
  const { ask } = await openApp(context);
  const { field, fix } = problemOf(await ask('/api/v1/incidents/1748779200000-000001'), 404, 'not_found');
  assert.equal(field, 'id');
  assert.match(fix, /\/api\/v1\/incidents/);
  for (const id of ['..', '%2e%2e%2f', '__proto__', 'a'.repeat(65)]) {
    const { statusCode } = await ask(`/api/v1/incidents/${id}`);
    assert.ok(statusCode === 404 || statusCode === 400, id);
  }
});

test('where the time of day is set, an incident that is closed keeps its own, one that is open does not', async (context) => {
  const daemon = daemonWithIncidents();
  const { ask } = await openApp(context, daemon);
  const opened = async (query = '') =>
    Object.fromEntries(
      (await ask(`/api/v1/incidents${query}`))
        .json<{ data: (Row & { opened_at: string })[] }>()
        .data.map(({ victim: { name }, opened_at }) => [name, Date.parse(opened_at)]),
    ) as Record<string, number>;
  const before = await opened();
  daemon.set = 400 * 86_400_000;
  assert.deepEqual(await opened(), { ...before, jvm: before.jvm! + daemon.set });
  assert.deepEqual(Object.keys(await opened('?since=1h')), ['jvm']);
  daemon.set = -daemon.set;
  assert.deepEqual(Object.keys(await opened('?since=1h')).sort(), ['jvm', 'mysqld', 'redis']);
});

test('incidents of an earlier daemon have the time of day at which they were, whatever it is set to', async (context) => {
  const earlier = daemonWithIncidents();
  const daemon = new FakeDaemon();
  daemon.ledger.incidents.restore(earlier.ledger.incidents.list());
  // Started before NTP had set the clock.
  daemon.set = 400 * 86_400_000;
  const { ask } = await openApp(context, daemon);
  const { data } = (await ask('/api/v1/incidents')).json<{ data: (Row & { opened_at: string })[] }>();
  assert.deepEqual(
    data.map(({ opened_at }) => opened_at),
    earlier.ledger.incidents
      .list()
      .map(({ openedAt }) => new Date(openedAt).toISOString())
      .reverse(),
  );
  assert.deepEqual((await ask('/api/v1/incidents?since=1d')).json<List>().data, []);
  const detail = (await ask(`/api/v1/incidents/${data[0]!.id}`)).json<{
    opened_at: string;
    timeline: { points: { at: string }[] };
  }>();
  for (const { at } of detail.timeline.points)
    assert.ok(Math.abs(Date.parse(at) - Date.parse(detail.opened_at)) < 60_000, at);
});
