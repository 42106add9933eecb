import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { StreamEvent } from '../../src/api/stream/hub.js';
import { loadConfig } from '../../src/config/load.js';
import { createEffects, type EffectOptions } from '../../src/daemon/apply.js';
import { MmaplockError } from '../../src/errors.js';
import { WaitingThreads } from '../../src/identity/waiting-thread.js';
import type { Incident } from '../../src/ledger/incidents/incident.js';
import { Ledger } from '../../src/ledger/ledger.js';
import type { BlockEntry } from '../../src/ledger/lists/block-list.js';
import { createLog } from '../../src/log/log.js';
import { createRepeatLimit } from '../../src/log/once.js';
import type { TracerRecord } from '../../src/records.js';
import type { Inspected } from '../../src/watch/inspector.js';
import { HandClock, settled } from '../bpftrace/hand-clock.js';
import { epoch, planOf } from '../support/daemon.js';
import { ongoingWait, processRow, readerRow, stall, stallReader, tick } from '../support/records.js';

const ms = 1e6;
const sentence = '`agent` read smaps of `mysqld` and blocked its munmap for 180 ms.';

/** Nothing was seen. */
const nothing: Inspected = {
  startedAt: epoch,
  endedAt: epoch + 10_000,
  blocks: [],
  holds: [],
  stacks: [],
  complete: true,
};

interface World {
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly legacy?: boolean;
  readonly goOn?: EffectOptions['goOn'];
  readonly inspect?: (seconds: number) => Promise<Inspected>;
}

/** Effects on a real ledger, and all they did to the world. */
const effectsOn = ({ flags = {}, legacy = false, goOn, inspect = async () => nothing }: World = {}) => {
  const clock = new HandClock();
  const lines: Record<string, unknown>[] = [];
  const kept: Incident[] = [];
  const events: StreamEvent[] = [];
  const live: [string, object][] = [];
  const restarts: string[] = [];
  const seen: unknown[] = [];
  const asked: number[] = [];
  const inspector = {
    running: false,
    inspect: (seconds: number) => {
      asked.push(seconds);
      return inspect(seconds);
    },
  };
  let ticks = 0;
  const ledger = new Ledger({
    waits: { slots: 10, rowLimit: 500, label: (name) => name },
    incidents: { processName: () => ({ name: 'mysqld', cgroupId: '4711' }) },
  });
  const options: EffectOptions = {
    config: loadConfig({ flags }),
    log: createLog({
      level: 'info',
      format: 'json',
      stream: { write: (line: string) => lines.push(JSON.parse(line)) },
    }),
    clock,
    say: createRepeatLimit({ minutes: 60, now: () => clock.monotonic() }),
    ledger,
    identities: {
      legacy,
      resolve: (process) => {
        seen.push([process.name, process.pid]);
        return { comm: process.name, cgroup: undefined };
      },
    },
    // The ledger goes on writing to an incident that is open.
    store: { keep: (incident) => kept.push(structuredClone(incident)) },
    stream: {
      publish: (event) => events.push(structuredClone(event)),
      publishLive: (type, data) => live.push([type, data()]),
    },
    liveColumn: () => ({ as_of: ledger.asOf }),
    inspector,
    cgroup: () => undefined,
    plan: () => planOf(),
    goOn,
    onTick: () => {
      ticks += 1;
    },
    restartTracer: (reason) => restarts.push(reason),
  };
  const take = createEffects(options);
  return {
    clock,
    ledger,
    inspector,
    lines,
    kept,
    restarts,
    seen,
    asked,
    ticks: () => ticks,
    apply: (...records: readonly TracerRecord[]) => records.forEach(take),
    eventsOf: (type: StreamEvent['type']) =>
      events.flatMap((event) => (event.type === type ? [event.data as Record<string, unknown>] : [])),
  };
};

/** 180 ms of `mysqld` behind the smaps reader `agent`. */
const stallAt = (at: number, victim = 'mysqld') =>
  stall(at, 180 * ms, {
    victim: { name: victim, cgroupId: '4711', pid: 42, tid: 43 },
    readers: [stallReader('agent', 'smaps', 180 * ms)],
  });

test('an incident that opens is kept and published at once, and not in the log yet', () => {
  const { apply, kept, eventsOf, lines } = effectsOn();
  apply({ kind: 'tracer_started', at: epoch }, stallAt(epoch + 1000));
  assert.equal(kept.length, 1);
  assert.equal(kept[0]!.closedAt, undefined);
  assert.deepEqual(eventsOf('incident'), [
    {
      id: kept[0]!.id,
      state: 'open',
      sentence,
      victim: 'mysqld',
      reader: 'agent',
      file: 'smaps',
      opened_at: '2025-06-01T12:00:00.820Z',
      duration_seconds: 0.18,
      blocked_seconds: 0.18,
    },
  ]);
  assert.deepEqual(lines, []);
});

test('one without a reader is published all the same', () => {
  const { apply, eventsOf } = effectsOn();
  apply(stall(epoch, 180 * ms));
  const [{ reader, file, victim } = {}] = eventsOf('incident');
  assert.deepEqual([reader, file, victim], [null, null, 'mysqld']);
});

test('an incident that closes is kept again, logged and published', () => {
  const { apply, kept, eventsOf, lines } = effectsOn();
  apply(stallAt(epoch), tick(epoch + 9000));
  assert.equal(kept.length, 1, 'not before it was quiet for long enough');
  apply(tick(epoch + 10_000));
  assert.deepEqual(
    kept.map(({ id, closedAt }) => [id, closedAt]),
    [
      [kept[0]!.id, undefined],
      [kept[0]!.id, epoch + 10_000],
    ],
  );
  assert.deepEqual(
    eventsOf('incident').map(({ id, state, sentence }) => [id, state, sentence]),
    [
      [kept[0]!.id, 'open', sentence],
      [kept[0]!.id, 'closed', sentence],
    ],
  );
  assert.deepEqual(
    lines.map(({ level, incident, msg }) => [level, incident, msg]),
    [['warn', kept[0]!.id, sentence]],
  );
});

test('one that lasts is in the log before it closes', () => {
  const { apply, lines } = effectsOn();
  const ongoing = (seconds: number) => [ongoingWait('write', 'munmap', seconds)];
  apply(tick(epoch + 9000, { ongoing: ongoing(9) }));
  assert.equal(lines.length, 0);
  apply(tick(epoch + 10_000, { ongoing: ongoing(10) }));
  apply(tick(epoch + 11_000, { ongoing: ongoing(11) }));
  assert.equal(lines.length, 1);
  assert.equal(lines[0]!.victim, 'mysqld');
});

const onIncident = { 'inspect.on_incident': 'on' };

test('inspect mode is off by default', async () => {
  const { apply, asked } = effectsOn();
  apply(stallAt(epoch));
  await settled();
  assert.deepEqual(asked, []);
});

test('switched on, it looks for 10 s when an incident opens, at most once a minute', async () => {
  const { apply, asked } = effectsOn({ flags: onIncident });
  apply(stallAt(epoch), stallAt(epoch + 500));
  await settled();
  assert.deepEqual(asked, [10]);
  apply(stallAt(epoch + 30_000, 'jvm'));
  await settled();
  assert.deepEqual(asked, [10]);
  apply(stallAt(epoch + 61_000, 'redis'));
  await settled();
  assert.deepEqual(asked, [10, 10]);
});

test('where somebody has inspect mode on already, the incident goes without, and nothing is said', async () => {
  const { apply, asked, inspector, lines } = effectsOn({ flags: onIncident });
  inspector.running = true;
  apply(stallAt(epoch));
  await settled();
  assert.deepEqual(asked, []);
  assert.deepEqual(lines, []);
});

const entry = (reader: string | undefined, victim: string, more: Partial<BlockEntry> = {}): BlockEntry => ({
  reader: reader === undefined ? undefined : { name: reader, cgroupId: '4712' },
  victim: { name: victim, cgroupId: '4711' },
  file: reader === undefined ? '~unknown' : 'smaps',
  count: 3,
  nanoseconds: 90 * ms,
  lastSeenAt: epoch,
  ...more,
});

const stack = { frames: ['rwsem_down_write_slowpath', 'vm_munmap'], count: 3 };

/** What inspect mode sees of the victim, and of others. */
const found: Inspected = {
  ...nothing,
  blocks: [
    entry('agent', 'mysqld'),
    entry('agent', 'mysqld', { file: 'maps', nanoseconds: 10 * ms }),
    entry('agent', 'jvm'),
    entry('top', 'mysqld', { victim: { name: 'mysqld', cgroupId: '9' } }),
    entry(undefined, 'mysqld'),
  ],
  stacks: [stack],
};

test('what it finds of the victim goes to the incident: readers by real holds, and stacks', async () => {
  const { apply, ledger, kept } = effectsOn({ flags: onIncident, inspect: async () => found });
  apply(stallAt(epoch));
  const [before] = ledger.incidents.list();
  assert.deepEqual([before?.evidence, before?.stacks], ['windows', []]);
  await settled();
  const [incident] = ledger.incidents.list();
  assert.equal(incident?.evidence, 'overlap');
  assert.deepEqual(incident?.stacks, [stack]);
  assert.deepEqual(
    incident?.inspected.map(({ name, cgroupId, file, nanoseconds }) => [name, cgroupId, file, nanoseconds]),
    [
      ['agent', '4712', 'smaps', 90 * ms],
      ['agent', '4712', 'maps', 10 * ms],
    ],
  );
  assert.equal(kept.length, 1, 'it is kept again when it closes');
});

test('what it finds when the incident has closed meanwhile is kept as well', async () => {
  let answer: (inspected: Inspected) => void = () => {};
  const inspect = () =>
    new Promise<Inspected>((resolve) => {
      answer = resolve;
    });
  const { apply, kept } = effectsOn({ flags: onIncident, inspect });
  apply(stallAt(epoch), tick(epoch + 10_000));
  answer(found);
  await settled();
  assert.equal(kept.length, 3);
  const { closedAt, evidence, inspected, stacks } = kept.at(-1)!;
  assert.deepEqual([closedAt, evidence, inspected.length, stacks], [epoch + 10_000, 'overlap', 2, [stack]]);
});

test('where it finds nothing the incident stays as it is', async () => {
  const { apply, ledger } = effectsOn({ flags: onIncident });
  apply(stallAt(epoch));
  await settled();
  const [incident] = ledger.incidents.list();
  assert.deepEqual([incident?.evidence, incident?.inspected, incident?.stacks], ['windows', [], []]);
});

test('that it does not work is logged once an hour, and does the incident no harm', async () => {
  const { apply, clock, lines, kept } = effectsOn({
    flags: onIncident,
    inspect: () => Promise.reject(new MmaplockError('inspect_unavailable', 'no tracepoint')),
  });
  const failures = () => lines.filter(({ msg }) => msg === 'inspect mode did not work');
  for (const [minute, victim] of ['a', 'b', 'c'].entries()) {
    apply(stallAt(epoch + minute * 60_000, victim));
    await settled();
    await clock.pass(60);
  }
  assert.equal(failures().length, 1);
  assert.equal((failures()[0]!.err as Record<string, unknown>).code, 'inspect_unavailable');
  await clock.pass(3600);
  apply(stallAt(epoch + 3_780_000, 'd'));
  await settled();
  assert.deepEqual(
    failures().map(({ unsaid }) => unsaid),
    [0, 2],
  );
  assert.equal(kept.filter(({ closedAt }) => closedAt !== undefined).length, 3);
});

test('full maps start the tracer again, and the log says so', () => {
  const { apply, restarts, lines } = effectsOn();
  apply({ kind: 'tracer_started', at: epoch }, tick(epoch + 1000));
  assert.deepEqual(restarts, []);
  apply({ kind: 'map_overflow', at: epoch + 1500, map: 'waits', updates: 3 });
  for (let second = 2; second <= 6; second++) apply(tick(epoch + second * 1000));
  assert.deepEqual(restarts, ['map_full']);
  assert.deepEqual(
    lines.map(({ level, map, reason }) => [level, map ?? reason]),
    [
      ['warn', 'waits'],
      ['warn', 'map_full'],
    ],
  );
});

test('a tick is published and makes metrics anew; so is the end of the tracer published', () => {
  const { apply, eventsOf, ticks } = effectsOn();
  apply({ kind: 'tracer_started', at: epoch }, tick(epoch + 1000));
  assert.equal(ticks(), 1);
  apply({ kind: 'tracer_stopped', at: epoch + 2000, reason: 'killed', handedOver: false });
  assert.equal(ticks(), 1);
  assert.deepEqual(
    eventsOf('tick').map(({ as_of, tracer_up }) => [as_of, tracer_up]),
    [
      ['2025-06-01T12:00:01.000Z', true],
      ['2025-06-01T12:00:02.000Z', false],
    ],
  );
});

test('what is lost is logged once an hour, each kind for itself', async () => {
  const { apply, clock, lines } = effectsOn();
  const lose = () =>
    apply(
      { kind: 'undecodable', at: epoch, reason: 'no JSON' },
      { kind: 'undecodable', at: epoch, reason: 'a line was cut off' },
      { kind: 'events_lost', at: epoch, events: 7 },
      { kind: 'map_overflow', at: epoch, map: 'waits', updates: 1 },
      { kind: 'map_overflow', at: epoch, map: 'windows', updates: 1 },
    );
  for (let time = 0; time < 10; time += 1) lose();
  assert.equal(lines.length, 5);
  assert.ok(lines.every(({ level }) => level === 'warn'));
  await clock.pass(3600);
  lose();
  assert.equal(lines.length, 10);
});

test('those of a stall are looked at while they live', () => {
  const { apply, seen } = effectsOn();
  apply(stallAt(epoch));
  assert.deepEqual(seen, [
    ['mysqld', 42],
    ['agent', 4242],
  ]);
});

test('those of a tick are looked at only where cgroup ids do not tell everything', () => {
  const busy = tick(epoch, {
    processes: [processRow('mysqld', 'write', 1, 1)],
    readers: [readerRow('agent', 'smaps', { reads: 1 })],
  });
  const unified = effectsOn();
  unified.apply(busy);
  assert.deepEqual(unified.seen, []);
  const legacy = effectsOn({ legacy: true });
  legacy.apply(busy);
  assert.deepEqual(legacy.seen, [
    ['mysqld', 42],
    ['agent', 4242],
  ]);
});

test('a wait that nobody waits is none: it opens no incident, and nobody is paged', () => {
  const { apply, ledger, kept } = effectsOn({ goOn: (waits) => waits.filter(({ tid }) => tid !== 43) });
  const waits = [
    ongoingWait('write', 'mmap', 15, { tid: 43 }),
    ongoingWait('write', 'munmap', 0.04, { tid: 45 }),
    ongoingWait('read', 'page_fault', 2, { tid: 44 }),
  ];
  apply({ kind: 'tracer_started', at: epoch }, tick(epoch + 1000, { ongoing: waits }));
  assert.equal(ledger.waits.oldest('write'), 0.04);
  assert.equal(ledger.waits.oldest('read'), 2);
  assert.deepEqual(kept, []);
});

test('the lost end of a wait of a thread that runs on ends its incident, and pages nobody', (t) => {
  const root = mkdtempSync(path.join(tmpdir(), 'proc-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(path.join(root, '42/task/43'), { recursive: true });
  const threads = new WaitingThreads(root);
  const { apply, ledger, kept } = effectsOn({ goOn: (waits) => threads.among(waits) });
  apply({ kind: 'tracer_started', at: epoch });
  for (let second = 1; second <= 20; second += 1) {
    const user = second * 90;
    writeFileSync(
      path.join(root, '42/task/43/stat'),
      `43 (mysqld) R 1 42 42 0 -1 0 0 0 0 0 ${user} 9 0 0 20 0 8 0 114 0 0\n`,
    );
    const ongoing = [ongoingWait('write', 'mmap', second)];
    apply(tick(epoch + 1000 * second, { ongoing }));
  }
  assert.equal(ledger.waits.oldest('write'), 0);
  assert.deepEqual(
    kept.map(({ closedAt }) => closedAt !== undefined),
    [false, true],
  );
});

test('where pids are those of another namespace, a long wait is believed', () => {
  const { apply, ledger } = effectsOn();
  apply(
    { kind: 'tracer_started', at: epoch },
    tick(epoch + 1000, { ongoing: [ongoingWait('write', 'mmap', 15)] }),
  );
  assert.equal(ledger.waits.oldest('write'), 15);
});
