import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Incident, incidentMilliseconds, mainFile } from '../../../src/ledger/incidents/incident.js';
import { IncidentLedger } from '../../../src/ledger/incidents/incidents.js';
import { Ledger } from '../../../src/ledger/ledger.js';
import type { Stall } from '../../../src/records.js';
import { procFiles } from '../../../src/vocabulary.js';
import { ongoingWait, stall, stallReader, tick } from '../../support/records.js';

const t0 = Date.parse('2026-06-01T12:00:00Z');
const ms = 1e6;

const only = (ledger: IncidentLedger): Incident => {
  const incidents = ledger.list();
  assert.equal(incidents.length, 1);
  return incidents[0]!;
};
const kinds = (effects: readonly { readonly kind: string }[]) => effects.map(({ kind }) => kind);

test('one long wait behind a reader: who, whom, for how long, doing what, and what queued', () => {
  const ledger = new IncidentLedger({ lockPath: (file) => (file === 'smaps' ? 'mmap_lock' : undefined) });
  const effects = ledger.stall(
    stall(t0, 180 * ms, {
      readers: [stallReader('process-exporte', 'smaps', 170 * ms, { nice: 19, offCpuNanoseconds: 120 * ms })],
      convoy: { count: 41, nanoseconds: 900 * ms, longestQueue: 12 },
    }),
  );
  assert.deepEqual(kinds(effects), ['incident_opened', 'inspect']);
  const incident = only(ledger);
  assert.equal(incident.victim.name, 'mysqld');
  assert.equal(incident.openedAt, t0 - 180);
  assert.equal(incidentMilliseconds(incident), 180);
  assert.deepEqual(incident.waits, { count: 1, nanoseconds: 180 * ms, longestNanoseconds: 180 * ms });
  assert.equal(incident.blockedNanoseconds, 180 * ms);
  assert.equal(incident.unknownNanoseconds, 10 * ms);
  assert.deepEqual(incident.operations, [{ operation: 'munmap', count: 1, nanoseconds: 180 * ms }]);
  assert.deepEqual(incident.readers, [
    {
      name: 'process-exporte',
      cgroupId: '4712',
      pid: 4242,
      file: 'smaps',
      self: false,
      nanoseconds: 170 * ms,
      waits: 1,
      nice: 19,
      offCpuNanoseconds: 120 * ms,
    },
  ]);
  assert.deepEqual(incident.files, [{ file: 'smaps', lockPath: 'mmap_lock', nanoseconds: 170 * ms }]);
  assert.deepEqual(incident.convoy, { count: 41, nanoseconds: 900 * ms, longestQueue: 12 });
  assert.equal(incident.evidence, 'windows');
  assert.equal(incident.closedAt, undefined);
});

test('a wait below the threshold opens none, but joins the incident of its process', () => {
  const ledger = new IncidentLedger({ waitNanoseconds: 100 * ms });
  assert.deepEqual(ledger.stall(stall(t0, 99 * ms)), []);
  assert.equal(ledger.list().length, 0);
  ledger.stall(stall(t0 + 1000, 100 * ms));
  assert.deepEqual(ledger.stall(stall(t0 + 2000, 60 * ms)), []);
  assert.deepEqual(only(ledger).waits, { count: 2, nanoseconds: 160 * ms, longestNanoseconds: 100 * ms });
});

test('stalls of one victim are one incident, whose readers are added up, the most to blame first', () => {
  const ledger = new IncidentLedger();
  const agent = (share: number, more = {}) => stallReader('agent', 'smaps', share, more);
  ledger.stall(stall(t0, 60 * ms, { readers: [agent(20 * ms), stallReader('atop', 'smaps', 30 * ms)] }));
  ledger.stall(stall(t0 + 5000, 80 * ms, { operation: 'mmap', readers: [agent(70 * ms, { pid: 4243 })] }));
  ledger.stall(stall(t0 + 9000, 50 * ms, { readers: [stallReader('agent', 'pagemap', 40 * ms)] }));
  const incident = only(ledger);
  assert.deepEqual(
    incident.readers.map(({ name, file, nanoseconds, waits, pid }) => [name, file, nanoseconds, waits, pid]),
    [
      ['agent', 'smaps', 90 * ms, 2, 4243],
      ['agent', 'pagemap', 40 * ms, 1, 4242],
      ['atop', 'smaps', 30 * ms, 1, 4242],
    ],
  );
  assert.equal(mainFile(incident), 'smaps');
  assert.deepEqual(incident.operations, [
    { operation: 'munmap', count: 2, nanoseconds: 110 * ms },
    { operation: 'mmap', count: 1, nanoseconds: 80 * ms },
  ]);
  assert.equal(incident.unknownNanoseconds, 30 * ms);
  assert.equal(incident.lastAt, t0 + 9000);
});

test('two victims are two incidents: by pid, or by name and cgroup where it is not known', () => {
  const ledger = new IncidentLedger();
  const of = (pid: number | undefined, name: string, cgroupId = '4711') =>
    stall(t0, 60 * ms, { victim: { name, cgroupId, pid, tid: undefined } });
  ledger.stall(of(42, 'mysqld'));
  ledger.stall(of(43, 'mysqld'));
  assert.equal(ledger.list().length, 2, 'the same name, two processes');
  ledger.stall(of(undefined, 'mysqld'));
  assert.equal(ledger.list().length, 2, 'a process that was gone joins its name');
  ledger.stall(of(undefined, 'mysqld', '99'));
  ledger.stall(of(undefined, 'redis'));
  assert.equal(ledger.list().length, 4);
});

test('it closes after quiet, by the times of the records, and the next stall opens another', () => {
  const ledger = new IncidentLedger({ quietMilliseconds: 5000, inspectMilliseconds: 0 });
  ledger.stall(stall(t0, 60 * ms));
  assert.deepEqual(ledger.tick(tick(t0 + 4999)), []);
  const effects = ledger.tick(tick(t0 + 5000));
  assert.deepEqual(kinds(effects), ['incident_closed']);
  assert.equal(only(ledger).closedAt, t0 + 5000);
  assert.equal(only(ledger).lastAt, t0);
  ledger.stall(stall(t0 + 6000, 60 * ms));
  const after = ledger.stall(stall(t0 + 60_000, 60 * ms));
  assert.deepEqual(kinds(after), ['incident_closed', 'incident_opened', 'inspect']);
  const ids = ledger.list().map(({ id }) => id);
  assert.equal(new Set(ids).size, 3);
  assert.deepEqual([...ids].sort(), ids, 'ids sort by the time of opening');
});

test('a wait that still goes on opens an incident, keeps it open, and is completed when it ends', () => {
  const ledger = new IncidentLedger({
    quietMilliseconds: 2000,
    processName: (pid) => (pid === 42 ? { name: 'mysqld', cgroupId: '0' } : undefined),
  });
  const going = (at: number, seconds: number) =>
    ledger.tick(tick(at, { ongoing: [ongoingWait('write', 'munmap', seconds)] }));
  assert.deepEqual(going(t0, 0.04), []);
  assert.deepEqual(kinds(going(t0 + 1000, 1)), ['incident_opened', 'inspect']);
  for (let second = 2; second <= 6; second += 1) assert.deepEqual(going(t0 + second * 1000, second), []);
  const open = only(ledger);
  assert.equal(open.victim.name, 'mysqld');
  assert.equal(open.openedAt, t0);
  assert.equal(open.blockedNanoseconds, 6000 * ms);
  assert.equal(open.waits.count, 0, 'it has not ended');
  assert.deepEqual(open.ongoing, [{ tid: 43, operation: 'munmap', since: t0, nanoseconds: 6000 * ms }]);
  assert.equal(open.timeline.points.at(-1)?.blockedNanoseconds, 1000 * ms, 'seen second by second');

  ledger.stall(stall(t0 + 6500, 6500 * ms, { readers: [stallReader('agent', 'smaps', 6000 * ms)] }));
  const ended = only(ledger);
  assert.equal(ended.id, open.id);
  assert.equal(ended.victim.cgroupId, '4711', 'the record knows more than we did');
  assert.equal(ended.blockedNanoseconds, 6500 * ms, 'nothing of it counts twice');
  assert.equal(
    ended.timeline.points.reduce((sum, { blockedNanoseconds }) => sum + blockedNanoseconds, 0),
    6500 * ms,
  );
  assert.deepEqual(ended.ongoing, []);
  assert.equal(ended.readers[0]?.name, 'agent');
  assert.deepEqual(kinds(ledger.tick(tick(t0 + 9000))), ['incident_closed']);
});

test('a process that cannot be named is ~unknown until the record of its wait names it', () => {
  const ledger = new IncidentLedger();
  ledger.tick(tick(t0, { ongoing: [ongoingWait('write', 'mmap', 2)] }));
  assert.equal(only(ledger).victim.name, '~unknown');
  ledger.stall(
    stall(t0 + 500, 2500 * ms, { victim: { name: 'mysqld', cgroupId: '4711', pid: undefined, tid: 43 } }),
  );
  assert.deepEqual(only(ledger).victim, { name: 'mysqld', cgroupId: '4711', pid: 42, tid: 43 });
});

test('readers of faults and waits for the lock of another process open none, however long', () => {
  const ledger = new IncidentLedger();
  const ongoing = [
    ongoingWait('read', 'page_fault', 30),
    ongoingWait('write', 'proc_read', 30, { foreign: true }),
  ];
  assert.deepEqual(ledger.tick(tick(t0, { ongoing })), []);
  assert.equal(ledger.list().length, 0);
});

test('many short waits: the window counts, but never what its waits were told of already', () => {
  const ledger = new IncidentLedger();
  const share = (at: number, blocked: number): Stall =>
    stall(at, 4 * ms, {
      cause: 'share',
      blockedInWindow: { nanoseconds: blocked, windowNanoseconds: 10_000 * ms },
      readers: [stallReader('agent', 'smaps', 4 * ms)],
    });
  ledger.stall(share(t0, 2500 * ms));
  const incident = only(ledger);
  assert.equal(incident.cause, 'share');
  assert.equal(incident.blockedNanoseconds, 2500 * ms);
  assert.equal(incidentMilliseconds(incident), 10_000);
  ledger.stall(share(t0 + 1000, 2600 * ms));
  assert.equal(only(ledger).blockedNanoseconds, 2600 * ms, 'the two windows are nearly the same time');
});

test('writers that wait at the same time are blocked for that time once', () => {
  const ledger = new IncidentLedger();
  const of = (tid: number, at: number, nanoseconds: number) =>
    ledger.stall(stall(at, nanoseconds, { victim: { name: 'mysqld', cgroupId: '4711', pid: 42, tid } }));
  of(1, t0 + 1000, 100 * ms);
  of(2, t0 + 1050, 100 * ms);
  of(3, t0 + 2000, 100 * ms);
  of(4, t0 + 2050, 2000 * ms);
  const incident = only(ledger);
  assert.equal(incident.blockedNanoseconds, 2000 * ms);
  assert.equal(incident.waits.nanoseconds, 2300 * ms);
  assert.equal(incident.openedAt, t0 + 50);
});

for (const [what, feed] of [
  ['heavy writers', (at: number) => stall(at, 70 * ms, { operation: 'mmap' })],
  ['fork and exec storms', (at: number) => stall(at, 70 * ms, { operation: 'clone' })],
] as const)
  test(`${what} without a reader in the records: an incident that blames nobody`, () => {
    const ledger = new IncidentLedger();
    for (let index = 0; index < 50; index += 1) ledger.stall(feed(t0 + index * 100));
    ledger.tick(tick(t0 + 60_000));
    const incident = only(ledger);
    assert.deepEqual([incident.evidence, incident.readers, incident.files], ['none', [], []]);
    assert.equal(incident.unknownNanoseconds, incident.waits.nanoseconds);
    assert.equal(ledger.files.get('none'), 1);
    assert.ok(procFiles.every((file) => ledger.files.get(file) === 0));
  });

test('a reader of an idle process: without waits there is no incident', () => {
  const ledger = new Ledger({ waits: { slots: 5, rowLimit: 500, label: (name) => name } });
  ledger.apply({ kind: 'tracer_started', at: t0 });
  for (let second = 1; second < 20; second += 1) assert.deepEqual(ledger.apply(tick(t0 + second * 1000)), []);
  assert.deepEqual(ledger.incidents.list(), []);
});

test('counts by file: at the first reader, or as none on closing, each once and never moved', () => {
  const ledger = new IncidentLedger({ quietMilliseconds: 1000 });
  const at = (file: string) => ledger.files.get(file as 'none');
  ledger.stall(stall(t0, 60 * ms));
  assert.equal(at('none'), 0, 'a reader may still be found');
  ledger.stall(stall(t0 + 500, 60 * ms, { readers: [stallReader('agent', 'maps', 10 * ms)] }));
  assert.equal(at('maps'), 1);
  ledger.stall(stall(t0 + 900, 90 * ms, { readers: [stallReader('agent', 'smaps', 90 * ms)] }));
  ledger.tick(tick(t0 + 5000));
  assert.deepEqual([at('maps'), at('smaps'), at('none')], [1, 0, 0]);
  ledger.stall(stall(t0 + 9000, 60 * ms));
  ledger.tick(tick(t0 + 12_000));
  assert.equal(at('none'), 1);
});

test('inspect mode is asked for once an incident, and at most once a minute over all', () => {
  const ledger = new IncidentLedger({ quietMilliseconds: 1000 });
  const asked: number[] = [];
  for (let second = 0; second < 200; second += 1) {
    const victim = { name: `v${second}`, cgroupId: '1', pid: second + 1, tid: second + 1 };
    if (kinds(ledger.stall(stall(t0 + second * 1000, 60 * ms, { victim }))).includes('inspect'))
      asked.push(second);
  }
  assert.deepEqual(asked, [0, 60, 120, 180]);
  const lasting = new IncidentLedger();
  const times = Array.from({ length: 200 }, (_, second) => lasting.stall(stall(t0 + second * 1000, 60 * ms)));
  assert.equal(kinds(times.flat()).filter((kind) => kind === 'inspect').length, 1);
});

test('what inspect mode found is put to it, open or closed, and makes the evidence a measured one', () => {
  const ledger = new IncidentLedger({ quietMilliseconds: 1000 });
  ledger.stall(stall(t0, 60 * ms));
  const { id } = only(ledger);
  ledger.addInspection(id, { stacks: [{ frames: ['rwsem_down_write_slowpath'], count: 3 }] });
  assert.equal(only(ledger).evidence, 'none', 'a stack blames nobody');
  ledger.tick(tick(t0 + 5000));
  const reader = {
    name: 'agent',
    cgroupId: '1',
    pid: 7,
    tid: 7,
    file: 'smaps' as const,
    nanoseconds: 40 * ms,
  };
  ledger.addInspection(id, { readers: Array.from({ length: 40 }, () => reader) });
  const incident = only(ledger);
  assert.equal(incident.evidence, 'overlap');
  assert.equal(incident.inspected.length, 16);
  assert.deepEqual(incident.stacks, [{ frames: ['rwsem_down_write_slowpath'], count: 3 }]);
  assert.equal(ledger.addInspection('unheard-of', {}), undefined);
});

test('the tracer ends: incidents stay open, and say that something was not seen', () => {
  const ledger = new Ledger({ waits: { slots: 5, rowLimit: 500, label: (name) => name } });
  ledger.apply({ kind: 'tracer_started', at: t0 });
  ledger.apply(tick(t0 + 1000, { ongoing: [ongoingWait('write', 'munmap', 0.5)] }));
  assert.deepEqual(
    ledger.apply({ kind: 'tracer_stopped', at: t0 + 2000, reason: 'killed', handedOver: false }),
    [],
  );
  const incident = only(ledger.incidents);
  assert.deepEqual([incident.closedAt, incident.interrupted], [undefined, true]);
  ledger.apply({ kind: 'tracer_started', at: t0 + 60_000 });
  assert.deepEqual(kinds(ledger.apply(tick(t0 + 61_000))), ['incident_closed']);
});

test('a tick that is not complete neither opens nor closes', () => {
  const ledger = new Ledger({ waits: { slots: 5, rowLimit: 500, label: (name) => name } });
  ledger.apply(stall(t0, 60 * ms));
  assert.deepEqual(ledger.apply(tick(t0 + 60_000, { complete: false })), []);
  assert.deepEqual(kinds(ledger.apply(tick(t0 + 61_000))), ['incident_closed']);
});

test('bounds: incidents kept, incidents open, readers, points of the timeline', () => {
  const ledger = new IncidentLedger({ kept: 20, open: 5, quietMilliseconds: 1000 });
  const victim = (pid: number) => ({ name: `v${pid}`, cgroupId: '1', pid, tid: pid });
  for (let pid = 1; pid <= 8; pid += 1) ledger.stall(stall(t0, 60 * ms, { victim: victim(pid) }));
  assert.deepEqual([ledger.open().length, ledger.notOpened], [5, 3]);
  for (let index = 0; index < 100; index += 1)
    ledger.stall(stall(t0 + 10_000 + index * 5000, 60 * ms, { victim: victim(1000 + index) }));
  assert.equal(ledger.list().length, 20);
  assert.equal(ledger.list()[0]?.victim.name, 'v1080', 'the oldest went first');
  assert.equal(ledger.dropped, 85);

  const long = new IncidentLedger();
  for (let second = 0; second < 3600; second += 1)
    long.stall(
      stall(t0 + second * 1000, 60 * ms, {
        readers: [stallReader(`reader ${second % 100}`, 'smaps', ((second % 100) + 1) * 1e5)],
      }),
    );
  const { readers, others, timeline, files, waits } = only(long);
  assert.equal(readers.length, 16);
  const told = readers.reduce((sum, { nanoseconds }) => sum + nanoseconds, others.nanoseconds);
  assert.equal(told, files[0]?.nanoseconds, 'no share is lost');
  assert.ok(timeline.points.length <= 600);
  assert.equal(timeline.stepMilliseconds, 8000);
  assert.equal(
    timeline.points.reduce((sum, point) => sum + point.waits, 0),
    waits.count,
  );
});

test('a restart of the daemon: what was kept is there, what was open then is closed, ids stay apart', () => {
  const before = new IncidentLedger({ quietMilliseconds: 1000 });
  before.stall(stall(t0, 60 * ms));
  before.stall(stall(t0 + 5000, 60 * ms, { victim: { name: 'redis', cgroupId: '1', pid: 9, tid: 9 } }));
  const written = JSON.parse(JSON.stringify(before.list())) as Incident[];
  const after = new IncidentLedger();
  after.restore(written);
  after.stall(stall(t0 + 20_000, 60 * ms));
  const incidents = after.list();
  assert.deepEqual(
    incidents.map(({ closedAt, interrupted }) => [closedAt, interrupted]),
    [
      [t0 + 5000, false],
      [t0 + 5000, true],
      [undefined, false],
    ],
  );
  assert.equal(new Set(incidents.map(({ id }) => id)).size, 3);
  assert.equal(after.files.get('none'), 0, 'they were counted then');
});

test('what is known of the cgroups is kept when it closes: they may be gone when somebody looks', () => {
  const mysql = { unit: 'mysql.service', containerId: undefined, podUid: undefined };
  const ledger = new IncidentLedger({ identify: (id) => (id === '4711' ? mysql : undefined) });
  ledger.stall(stall(t0, 60 * ms));
  assert.deepEqual(only(ledger).identities, {});
  ledger.tick(tick(t0 + 60_000));
  assert.deepEqual(only(ledger).identities, { 4711: mysql });
});

test('where one cgroup id stands for two units, as on cgroup v1, neither is kept under it', () => {
  const ledger = new IncidentLedger({
    identify: (_, { name }) => ({ unit: `${name}.service`, containerId: undefined, podUid: undefined }),
  });
  const readers = [stallReader('atop', 'smaps', 60 * ms, { cgroupId: '4711' }), stallReader('x', 'maps', 0)];
  ledger.stall(stall(t0, 60 * ms, { readers }));
  ledger.tick(tick(t0 + 60_000));
  assert.deepEqual(Object.keys(only(ledger).identities), ['4712']);
});

test('whatever stalls come: shares and unknown are the waits, and no wall time counts twice', () => {
  const wait = fc.record({
    gap: fc.integer({ min: 0, max: 3000 }),
    length: fc.integer({ min: 50, max: 4000 }),
    part: fc.integer({ min: 0, max: 100 }),
    tid: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(wait, { minLength: 1, maxLength: 40 }), (waits) => {
      const ledger = new IncidentLedger({ quietMilliseconds: 10_000 });
      let at = t0;
      const blocked = new Set<number>();
      for (const { gap, length, part, tid } of waits) {
        at += gap;
        for (let time = at - length; time < at; time += 1) blocked.add(time);
        const readers = part === 0 ? [] : [stallReader('agent', 'smaps', (length * ms * part) / 100)];
        const victim = { name: 'mysqld', cgroupId: '4711', pid: 42, tid };
        ledger.stall(stall(at, length * ms, { victim, readers }));
      }
      const incident = only(ledger);
      const shares = incident.readers.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
      assert.ok(Math.abs(shares + incident.unknownNanoseconds - incident.waits.nanoseconds) < 1);
      assert.equal(incident.blockedNanoseconds, blocked.size * ms);
    }),
  );
});
