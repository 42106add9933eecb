import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { MmaplockError } from '../../../src/errors.js';
import { observables } from '../../../src/vocabulary.js';
import { openApp } from '../../support/app.js';
import { epoch, type FakeDaemon, failedTracer, planOf } from '../../support/daemon.js';
import { valueIn } from '../../support/exposition.js';
import { busyDaemon, quietDaemon, silentDaemon } from '../../support/scenes.js';

interface Readiness {
  readonly ready: boolean;
  readonly problems: readonly { readonly code: string; readonly message: string; readonly fix: string }[];
}

const stalled = (): FakeDaemon => {
  const daemon = quietDaemon();
  daemon.now += 6000;
  return daemon;
};

for (const [state, daemon, status, codes] of [
  ['observing', quietDaemon(), 200, []],
  [
    'observing although a fragment was refused',
    quietDaemon({
      plan: planOf(['waits'], {
        refused: [{ fragment: 'reads', reasons: [{ code: 'rejected_by_bpftrace', detail: 'no' }] }],
      }),
    }),
    200,
    ['fragment_rejected'],
  ],
  ['starting', silentDaemon(), 503, ['starting']],
  ['without bpftrace', silentDaemon({ tracer: failedTracer() }), 503, ['bpftrace_missing']],
  ['stalled', stalled(), 503, ['ticks_stalled']],
  ['blind', silentDaemon({ plan: planOf([]) }), 503, ['nothing_observable']],
] as const)
  test(`/-/ready answers ${status} while ${state}`, async (context) => {
    const { ask } = await openApp(context, daemon);
    const answer = await ask('/-/ready');
    assert.equal(answer.statusCode, status);
    assert.match(String(answer.headers['content-type']), /^application\/json\b/);
    const { ready, problems } = answer.json<Readiness>();
    assert.equal(ready, status === 200);
    assert.deepEqual(
      problems.map(({ code }) => code),
      codes,
    );
    for (const { message, fix } of problems) assert.ok(message.length > 0 && fix.length > 0);
    const healthy = await ask('/-/healthy');
    assert.deepEqual([healthy.statusCode, healthy.json()], [200, { healthy: true }], 'it lives all the same');
  });

test('/metrics is the text format, plain unless gzip is asked for', async (context) => {
  const { ask } = await openApp(context, quietDaemon());
  const plain = await ask('/metrics');
  assert.equal(plain.statusCode, 200);
  assert.equal(plain.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(plain.headers['content-encoding'], undefined);
  assert.equal(plain.headers.vary, 'accept-encoding');
  const gzipped = await ask('/metrics', { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(gzipped.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(gzipped.headers['content-encoding'], 'gzip');
  assert.equal(gzipped.headers.vary, 'accept-encoding');
  assert.equal(gunzipSync(gzipped.rawPayload).toString(), plain.body);
});

for (const [accepted, encoding] of [
  ['gzip, deflate, br', 'gzip'],
  ['br, GZIP;q=0.5', 'gzip'],
  ['gzip;q=0.001', 'gzip'],
  ['identity', undefined],
  ['br', undefined],
  ['gzip;q=0', undefined],
  ['gzip; q=0.000, identity', undefined],
  ['identity, gzip;q=0', undefined],
] as const)
  test(`/metrics for accept-encoding "${accepted}" is ${encoding ?? 'plain'}`, async (context) => {
    const { ask } = await openApp(context, quietDaemon());
    const answer = await ask('/metrics', { headers: { 'accept-encoding': accepted } });
    assert.equal(answer.headers['content-encoding'], encoding);
  });

test('/metrics is the same within a tick, and new after it', async (context) => {
  const { ask, daemon } = await openApp(context, quietDaemon());
  const lost = async () => valueIn((await ask('/metrics')).body, 'mmaplock_lost_events_total');
  assert.equal(await lost(), 0);
  daemon.ledger.apply({ kind: 'events_lost', at: daemon.now, events: 5 });
  assert.equal(await lost(), 0);
  daemon.metrics.invalidate();
  assert.equal(await lost(), 5);
});

test('/metrics ignores parameters: a scrape must not fail over one', async (context) => {
  const { ask } = await openApp(context, quietDaemon());
  assert.equal((await ask('/metrics?name[]=up&x=1')).statusCode, 200);
});

test('/api/v1/status tells kernel, plan with reasons, tracer and cost', async (context) => {
  const refused = [
    { fragment: 'reads', reasons: [{ code: 'kernel_lacks_kprobes', detail: 'no kprobes' }] },
  ] as const;
  const daemon = busyDaemon({ plan: planOf(['waits', 'operations'], { refused }) });
  const { ask } = await openApp(context, daemon);
  const status = (await ask('/api/v1/status')).json();
  assert.equal(status.version, '1.2.3');
  assert.equal(status.started_at, '2025-06-01T11:59:00.000Z');
  assert.equal(status.as_of, '2025-06-01T12:00:05.000Z');
  assert.equal(status.ready, true);
  assert.equal(status.kernel.release, '6.1.0-test-amd64');
  assert.equal(status.kernel.possible_cpus, 8);
  assert.deepEqual(status.lock_paths, [
    { file: 'maps', path: 'per_vma_lock', by: 'both', evidence: 'lock_next_vma is there.' },
    { file: 'smaps', path: 'mmap_lock', by: 'evidence', evidence: 'smap_gather_stats takes no reader.' },
  ]);
  assert.deepEqual(
    status.observables.map(({ what }: { what: string }) => what),
    observables,
  );
  assert.deepEqual(status.observables[0], { what: 'waits', observed: true, source: 'waits' });
  assert.equal(status.observables[2].reason.code, 'no_fragment');
  assert.deepEqual(status.plan.chosen, [
    {
      fragment: 'waits',
      summary: 'Who waits.',
      provides: ['waits', 'operations'],
      cost: 'hardly any',
      probes: ['tracepoint:lock:contention_begin'],
    },
  ]);
  assert.deepEqual(status.plan.refused, refused);
  assert.equal(status.tracer.phase, 'observing');
  assert.equal(status.tracer.pid, '1234');
  assert.equal(status.tracer.error, null);
  assert.equal(status.tracer.last_tick_at, '2025-06-01T12:00:05.000Z');
  assert.equal(status.tracer.restarts.killed, 1);
  assert.equal(status.tracer.blind_seconds.killed, 3);
  assert.equal(status.tracer.lost_events_total, 7 + 2);
  assert.deepEqual(status.tracer.lost_updates, {
    busy: 2,
    deadlock: 0,
    timeout: 0,
    no_memory: 0,
    other: 0,
  });
  assert.equal(status.tracer.decode_errors_total, 1);
  assert.deepEqual(status.tracer.map_overflows, { process_waits: 5 });
  assert.equal(status.cost.tracer_cpu_seconds_total, 1.5);
  assert.equal(status.cost.tracer_resident_memory_bytes, 157_286_400);
});

test('/api/v1/status tells whom the cost of the probes is of, once that was looked for', async (context) => {
  const daemon = busyDaemon({
    cgroups: { 4711: { path: '/x', unit: 'x.service', containerId: undefined, podUid: undefined } },
  });
  const { ask } = await openApp(context, daemon);
  assert.equal((await ask('/api/v1/status')).json().cost.cause, null);
  daemon.cause = { at: epoch, cgroup: { id: '4711', share: 0.75 }, user: { uid: 1000, share: 0.5 } };
  assert.deepEqual((await ask('/api/v1/status')).json().cost.cause, {
    at: '2025-06-01T12:00:00.000Z',
    cgroup: { unit: 'x.service', container_id: null, pod_uid: null, id: '4711', share: 0.75 },
    user: { uid: 1000, share: 0.5 },
  });
});

test('/api/v1/status of a tracer that failed tells why and when it is tried again, and no stack', async (context) => {
  const cause = new Error('deep inside');
  const error = new MmaplockError('canary_failed', 'bpftrace printed nothing', { cause });
  const tracer = { phase: 'waiting', since: epoch, error, nextTryAt: epoch + 30_000 } as const;
  const { ask } = await openApp(context, silentDaemon({ tracer }));
  const answer = await ask('/api/v1/status');
  const { tracer: told, as_of: asOf, cost, ready } = answer.json();
  assert.equal(ready, false);
  assert.equal(asOf, null);
  assert.equal(told.pid, null);
  assert.equal(told.bpftrace, null);
  assert.equal(told.last_tick_at, null);
  assert.equal(told.next_try_at, '2025-06-01T12:00:30.000Z');
  assert.deepEqual(told.error, { code: 'canary_failed', message: error.message, fix: error.fix });
  assert.equal(cost.tracer_resident_memory_bytes, null);
  assert.doesNotMatch(answer.body, /deep inside|\.js:/);
});
