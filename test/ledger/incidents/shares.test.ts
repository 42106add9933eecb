import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Incident, sharedNanoseconds } from '../../../src/ledger/incidents/incident.js';
import { Ledger } from '../../../src/ledger/ledger.js';
import type { Stall, Tick } from '../../../src/records.js';
import { cases } from '../../support/depth.js';
import {
  blockRow,
  readerBlockRow,
  readerRow,
  stall,
  stallReader,
  tick,
  waitRow,
} from '../../support/records.js';

const t0 = Date.parse('2026-06-01T12:00:00Z');
const ms = 1e6;

const started = (): Ledger => {
  const ledger = new Ledger({
    waits: { slots: 5, rowLimit: 500, label: (name) => name },
    blocksObserved: () => true,
  });
  ledger.apply({ kind: 'tracer_started', at: t0 });
  return ledger;
};

const only = (ledger: Ledger): Incident => {
  const incidents = ledger.incidents.list();
  assert.equal(incidents.length, 1);
  return incidents[0]!;
};

/** A tick in which these readers of smaps have blocked mysqld for so long so far, milliseconds. */
const blocked = (at: number, readers: Readonly<Record<string, number>>, more: Partial<Tick> = {}): Tick => {
  const rows = Object.entries(readers);
  const all = rows.reduce((sum, [, milliseconds]) => sum + milliseconds * ms, 0);
  const of = (name: string) => (name === '~unknown' ? undefined : name);
  const sum = (isReader: boolean) =>
    rows.reduce((total, [name, own]) => total + ((name !== '~unknown') === isReader ? own * ms : 0), 0);
  return tick(at, {
    waits: [waitRow('write', 'munmap', 100, all)],
    blocks: [blockRow('smaps', 10 * rows.length, sum(true)), blockRow(undefined, 0, sum(false))],
    readerBlocks: rows.map(([name, own]) =>
      readerBlockRow(of(name), 'mysqld', name === '~unknown' ? undefined : 'smaps', 10, own * ms),
    ),
    ...more,
  });
};

/** Many short waits: blocked for so long of the last so long, milliseconds. */
const share = (at: number, blockedFor: number, of: number): Stall =>
  stall(at, 4 * ms, {
    cause: 'share',
    blockedInWindow: { nanoseconds: blockedFor * ms, windowNanoseconds: of * ms },
  });

const sharesOf = ({ readers }: Incident) => readers.map(({ name, nanoseconds }) => [name, nanoseconds / ms]);

test('many short waits find their readers in the ticks, those of the last tick when it comes', () => {
  const ledger = started();
  ledger.apply(
    blocked(t0 + 1000, { atop: 900 }, { readers: [readerRow('atop', 'smaps', {}, { lastPid: 7 })] }),
  );
  const effects = ledger.apply(share(t0 + 1600, 1500, 1600));
  assert.equal(effects[0]?.kind, 'incident_opened');
  const opened = only(ledger);
  assert.deepEqual(sharesOf(opened), [['atop', 900]], 'as far as it is known when it opens');
  assert.deepEqual([opened.evidence, opened.unknownNanoseconds], ['windows', 600 * ms]);
  ledger.apply(blocked(t0 + 2000, { atop: 1200, agent: 300 }));
  const incident = only(ledger);
  assert.deepEqual(sharesOf(incident), [
    ['atop', 1200],
    ['agent', 300],
  ]);
  assert.deepEqual([incident.unknownNanoseconds, incident.blockedNanoseconds], [0, 1500 * ms]);
  assert.deepEqual(
    incident.readers.map(({ waits, nice, offCpuNanoseconds }) => [waits, nice, offCpuNanoseconds]),
    [
      [10, undefined, undefined],
      [10, undefined, undefined],
    ],
  );
  ledger.apply(blocked(t0 + 3000, { atop: 2200, agent: 300 }));
  assert.deepEqual(only(ledger).readers, incident.readers, 'what comes later is another matter');
});

test('the reader is the process that read last under its name', () => {
  const ledger = started();
  const readers = [readerRow('atop', 'smaps', { reads: 1 }, { lastPid: 7 })];
  const procFiles = [{ file: 'smaps' as const, opens: 1, reads: 1, retries: 0, fallbacks: 0, waits: 0 }];
  const read = { readers, procFiles: procFiles.map((row) => ({ ...row, waitNanoseconds: 0 })) };
  ledger.apply(blocked(t0 + 1000, { atop: 900 }, read));
  ledger.apply(share(t0 + 1100, 900, 1000));
  assert.equal(only(ledger).readers[0]?.pid, 7);
});

test('no tick was heard yet: it opens behind nobody, and is counted under the file when its reader is found', () => {
  const ledger = started();
  ledger.apply(share(t0 + 900, 800, 900));
  assert.deepEqual([only(ledger).readers, only(ledger).evidence], [[], 'none']);
  assert.equal(only(ledger).unknownNanoseconds, 800 * ms);
  ledger.apply(blocked(t0 + 1000, { atop: 800 }));
  assert.deepEqual([sharesOf(only(ledger)), only(ledger).evidence], [[['atop', 800]], 'windows']);
  assert.equal(ledger.incidents.files.get('smaps'), 1);
});

test('a tick that could not be read is waited for, however long, and the incident stays open', () => {
  const ledger = started();
  ledger.apply(share(t0 + 900, 800, 900));
  ledger.apply(tick(t0 + 30_000, { complete: false }));
  ledger.apply(stall(t0 + 30_500, 60 * ms, { victim: { name: 'redis', cgroupId: '1', pid: 7, tid: 7 } }));
  assert.equal(ledger.incidents.list()[0]?.closedAt, undefined);
  ledger.apply(blocked(t0 + 31_000, { atop: 800 }));
  const incident = ledger.incidents.list()[0]!;
  assert.deepEqual([sharesOf(incident), incident.closedAt], [[['atop', 800]], undefined]);
  ledger.apply(tick(t0 + 32_000));
  assert.deepEqual([sharesOf(incident), incident.closedAt], [[['atop', 800]], t0 + 32_000]);
});

test('the tracer ends before its next tick: what was heard of the readers stays', () => {
  const ledger = started();
  ledger.apply(blocked(t0 + 1000, { atop: 700 }));
  ledger.apply(share(t0 + 1600, 1200, 1600));
  ledger.apply({ kind: 'tracer_stopped', at: t0 + 1700, reason: 'killed', handedOver: false });
  ledger.apply({ kind: 'tracer_started', at: t0 + 3000 });
  ledger.apply(blocked(t0 + 3000, { agent: 500 }));
  const incident = only(ledger);
  assert.deepEqual(sharesOf(incident), [['atop', 700]]);
  assert.deepEqual([incident.unknownNanoseconds, incident.interrupted], [500 * ms, true]);
});

test('long waits told one by one within a window count once, with their readers', () => {
  const ledger = started();
  const readers = [stallReader('atop', 'smaps', 400 * ms, { cgroupId: '4711' })];
  ledger.apply(stall(t0 + 500, 400 * ms, { readers }));
  ledger.apply(share(t0 + 900, 700, 900));
  ledger.apply(blocked(t0 + 1000, { atop: 450, agent: 250 }));
  const incident = only(ledger);
  assert.deepEqual(sharesOf(incident), [
    ['atop', 450],
    ['agent', 250],
  ]);
  assert.deepEqual([incident.blockedNanoseconds, incident.unknownNanoseconds], [700 * ms, 0]);
  assert.equal(incident.waits.nanoseconds, 404 * ms, 'the long one, and the last of the short ones');
});

test('what ticks cannot lay at a door stays unknown, in the same proportion', () => {
  const ledger = started();
  ledger.apply(blocked(t0 + 1000, { atop: 3000, '~unknown': 1000 }));
  ledger.apply(share(t0 + 1000, 800, 1000));
  ledger.apply(tick(t0 + 2000));
  assert.deepEqual(sharesOf(only(ledger)), [['atop', 600]]);
  assert.equal(only(ledger).unknownNanoseconds, 200 * ms);
});

test('no more windows wait for a tick than are kept, and no reader is lost by it', () => {
  const ledger = started();
  ledger.apply(blocked(t0 + 1000, { atop: 400 }));
  for (let index = 1; index <= 40; index += 1) ledger.apply(share(t0 + 500 + index * 10, 10, 10));
  ledger.apply(tick(t0 + 2000));
  const incident = only(ledger);
  assert.deepEqual([sharesOf(incident), incident.blockedNanoseconds], [[['atop', 400]], 400 * ms]);
});

test('a long wait told after the tick in which it is: no window keeps its reader', () => {
  const ledger = started();
  ledger.apply(share(t0 + 800, 400, 800));
  ledger.apply(blocked(t0 + 1000, { atop: 60, agent: 395 }));
  const readers = [stallReader('atop', 'smaps', 60 * ms, { cgroupId: '4711' })];
  ledger.apply(stall(t0 + 990, 60 * ms, { readers }));
  ledger.apply(blocked(t0 + 2000, { atop: 60, agent: 395 }));
  assert.deepEqual(sharesOf(only(ledger)), [
    ['agent', 395],
    ['atop', 60],
  ]);
  assert.equal(only(ledger).unknownNanoseconds, 5 * ms);
});

interface Wait {
  readonly gap: number;
  readonly length: number;
  /** Percent of it behind either reader. */
  readonly atop: number;
  readonly agent: number;
}

/** By tick. */
interface Disorder {
  /** The stalls of a tick come the last first. */
  readonly swapped: readonly boolean[];
  /** So many of the last stalls come after the tick that knows of them. */
  readonly late: readonly number[];
  /** A tick cannot be read. */
  readonly broken: readonly boolean[];
}

const ordered = (stalls: readonly Stall[], swap: boolean): readonly Stall[] =>
  swap ? stalls.toReversed() : stalls;

/** What the tracer says of a process with one thread; each list of records in the order in which they are heard. */
const tracerOf = (waits: readonly Wait[], { swapped, late, broken }: Disorder) => {
  const told: (Stall | Tick)[] = [];
  let stalls: Stall[] = [];
  const sums = { atop: 0, agent: 0, '~unknown': 0 };
  let all = 0;
  let now = 0;
  let ticks = 0;
  const window = { from: 0, blocked: 0 };
  const tickUntil = (time: number): void => {
    for (; (ticks + 1) * 1000 <= time; ticks += 1) {
      const complete = broken[ticks % broken.length] !== true;
      const before = stalls.length - Math.min(stalls.length, late[ticks % late.length] ?? 0);
      const swap = swapped[ticks % swapped.length] === true;
      told.push(...ordered(stalls.slice(0, before), swap));
      told.push(blocked(t0 + (ticks + 1) * 1000, { ...sums }, { complete }));
      told.push(...ordered(stalls.slice(before), swap));
      stalls = [];
    }
  };
  for (const { gap, length, ...parts } of waits) {
    now += gap + length;
    tickUntil(now - 0.001);
    const atop = (length * parts.atop) / 100;
    const agent = ((length - atop) * parts.agent) / 100;
    sums.atop += atop;
    sums.agent += agent;
    if (atop + agent > 0) sums['~unknown'] += length - atop - agent;
    all += length;
    if (now - window.from > 10_000) Object.assign(window, { from: now - length, blocked: 0 });
    window.blocked += atop + agent;
    const of = (name: string, part: number) =>
      part > 0 ? [stallReader(name, 'smaps', part * ms, { cgroupId: '4711' })] : [];
    let record: Stall | undefined;
    if (length >= 50) {
      const readers = [...of('atop', atop), ...of('agent', agent)];
      record = stall(t0 + now, length * ms, { readers });
    } else if (window.blocked >= 600) {
      record = share(t0 + now, window.blocked, now - window.from);
      Object.assign(record, { nanoseconds: length * ms });
      Object.assign(window, { from: now, blocked: 0 });
    }
    if (record !== undefined) stalls.push(record);
  }
  tickUntil(now + 2000);
  return { told, sums, all };
};

test('whatever comes in whatever order: all is told once, and nobody is blamed for more than there was', () => {
  const length = fc.oneof(fc.integer({ min: 1, max: 49 }), fc.integer({ min: 1, max: 400 }));
  const percent = fc.oneof(
    fc.constant(0),
    fc.integer({ min: 0, max: 10 }).map((tenths) => tenths * 10),
  );
  const wait = fc.record({ gap: fc.integer({ min: 0, max: 60 }), length, atop: percent, agent: percent });
  const waits = fc.array(wait, { minLength: 1, maxLength: 300, size: 'max' });
  const flags = fc.array(fc.boolean(), { minLength: 1, maxLength: 8 });
  const disorder = fc.record({
    swapped: flags,
    late: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 8 }),
    broken: flags,
  });
  fc.assert(
    fc.property(waits, disorder, (given, order) => {
      const ledger = started();
      const { told, sums, all } = tracerOf(given, order);
      for (const record of told) {
        ledger.apply(record);
        for (const incident of ledger.incidents.list()) {
          const shares = incident.readers.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
          assert.ok(shares <= incident.blockedNanoseconds + 1, 'no more blame than blocked time');
          // One thread: waits told, and what windows tell beyond them, are its blocked time.
          const known = sharedNanoseconds(incident);
          assert.ok(
            Math.abs(known - incident.blockedNanoseconds) <= 2,
            `${known} of ${incident.blockedNanoseconds}`,
          );
        }
      }
      const incidents = ledger.incidents.list();
      const blockedFor = incidents.reduce((sum, { blockedNanoseconds }) => sum + blockedNanoseconds, 0);
      assert.ok(blockedFor <= all * ms + 2);
      for (const name of ['atop', 'agent'] as const) {
        const own = incidents.flatMap(({ readers }) => readers.filter((reader) => reader.name === name));
        const blamed = own.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
        assert.ok(blamed <= sums[name] * ms + 2, `${name}: ${blamed} of ${sums[name] * ms}`);
      }
    }),
    { numRuns: cases(100) },
  );
});
