import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApp } from '../../support/app.js';
import { epoch, planOf } from '../../support/daemon.js';
import { processRow, tick, victimVmaWaitRow, waitRow } from '../../support/records.js';
import { busyDaemon, quietDaemon } from '../../support/scenes.js';

interface List {
  readonly data: readonly Readonly<Record<string, unknown>>[];
}

test('processes: waits by name and cgroup with what the cgroup tells, ids as strings', async (context) => {
  const daemon = quietDaemon({
    cgroups: {
      '18446744073709551615': {
        path: '/system.slice/mysql.service',
        unit: 'mysql.service',
        containerId: 'c0ffee',
        podUid: '00000000-0000-4000-8000-000000000000',
      },
    },
  });
  const known = { cgroupId: '18446744073709551615', lastPid: 4321 };
  daemon.apply(
    tick(epoch + 2000, {
      waits: [waitRow('write', 'mmap', 3, 2_000_000_000), waitRow('read', 'page_fault', 2, 500_000_000)],
      processes: [
        processRow('mysqld', 'write', 2, 1_999_000_000, known),
        processRow('mysqld', 'read', 2, 500_000_000, known),
        processRow('mysqld', 'write', 1, 1_000_000, { cgroupId: '0', lastPid: undefined }),
      ],
      vmaWaits: { count: 4, nanoseconds: 30_000_000 },
      victimVmaWaits: [victimVmaWaitRow('mysqld', 4, 30_000_000, { cgroupId: known.cgroupId })],
    }),
  );
  const { ask } = await openApp(context, daemon);
  assert.deepEqual((await ask('/api/v1/processes')).json<List>().data, [
    {
      process: 'mysqld',
      cgroup_id: '18446744073709551615',
      unit: 'mysql.service',
      container_id: 'c0ffee',
      pod_uid: '00000000-0000-4000-8000-000000000000',
      last_pid: '4321',
      read_waits_total: 2,
      read_wait_seconds_total: 0.5,
      write_waits_total: 2,
      write_wait_seconds_total: 1.999,
      vma_waits_total: 4,
      vma_wait_seconds_total: 0.03,
      waited_seconds_total: 2.529,
      last_wait_at: '2025-06-01T12:00:02.000Z',
    },
    {
      process: 'mysqld',
      cgroup_id: '0',
      unit: null,
      container_id: null,
      pod_uid: null,
      last_pid: null,
      read_waits_total: 0,
      read_wait_seconds_total: 0,
      write_waits_total: 1,
      write_wait_seconds_total: 0.001,
      vma_waits_total: 0,
      vma_wait_seconds_total: 0,
      waited_seconds_total: 0.001,
      last_wait_at: '2025-06-01T12:00:02.000Z',
    },
  ]);
});

test('processes of one name: exactly that name, whatever characters it has', async (context) => {
  const { ask } = await openApp(context, busyDaemon());
  const names = async (process: string) =>
    (await ask(`/api/v1/processes?process=${encodeURIComponent(process)}`))
      .json<List>()
      .data.map((row) => row.process);
  assert.deepEqual(await names('a "b" \\c'), ['a "b" \\c']);
  assert.deepEqual(await names('mysqld'), ['mysqld']);
  assert.deepEqual(await names('mysql'), []);
  assert.deepEqual(await names('__proto__'), []);
});

test('a process that only has VMA waits is a process that waits, and has its place among the others', async (context) => {
  const { ask } = await openApp(context, busyDaemon());
  const { data } = (await ask('/api/v1/processes')).json<List>();
  assert.deepEqual(
    data.map((row) => row.process),
    ['a "b" \\c', 'mysqld', 'jvm'],
  );
  const { read_waits_total, write_waits_total, vma_waits_total, vma_wait_seconds_total, last_pid } = data[2]!;
  assert.deepEqual([read_waits_total, write_waits_total, last_pid], [0, 0, null]);
  assert.deepEqual([vma_waits_total, vma_wait_seconds_total], [1, 0.0001]);
});

test('VMA waits that are not observed are null, never 0', async (context) => {
  const { ask } = await openApp(context, busyDaemon({ plan: planOf(['waits', 'operations']) }));
  for (const row of (await ask('/api/v1/processes')).json<List>().data)
    assert.deepEqual([row.vma_waits_total, row.vma_wait_seconds_total], [null, null]);
});
