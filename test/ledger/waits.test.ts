import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ledger } from '../../src/ledger/ledger.js';
import type { ProcessWaitRow, Tick, WaitRow } from '../../src/records.js';
import { cases } from '../support/depth.js';
import { ongoingWait, tick as tickOf } from '../support/records.js';

const newLedger = (slots = 50, rowLimit = 500) =>
  new Ledger({ waits: { slots, rowLimit, label: (name) => name } });

const tick = (
  at: number,
  waits: readonly WaitRow[],
  processes: readonly ProcessWaitRow[] = [],
  more: Partial<Tick> = {},
): Tick => tickOf(at, { waits, processes, ...more });

const wait = (
  count: number,
  nanoseconds = count * 1000,
  operation: WaitRow['operation'] = 'munmap',
): WaitRow => ({
  mode: operation === 'page_fault' ? 'read' : 'write',
  operation,
  count,
  nanoseconds,
});

const process = (
  name: string,
  count: number,
  nanoseconds = count * 1000,
  mode: 'read' | 'write' = 'write',
): ProcessWaitRow => ({
  name,
  cgroupId: '1',
  mode,
  count,
  nanoseconds,
  lastPid: 42,
});

const totalsOf = (ledger: Ledger, mode: string) => {
  const sum = [0, 0];
  for (const total of ledger.waits.totals.values())
    if (total.mode === mode) {
      sum[0]! += total.count;
      sum[1]! += total.nanoseconds;
    }
  return sum;
};

const processTotals = (ledger: Ledger, mode: string) => {
  const sum = [0, 0];
  for (const { labels, totals } of ledger.waits.processes.series())
    if (labels.mode === mode) for (const [index, value] of totals.entries()) sum[index]! += value;
  return sum;
};

const seriesOf = (ledger: Ledger, name: string) =>
  ledger.waits.processes.series().find(({ labels }) => labels.process === name)?.totals;

test('counts of one tracer are taken once, and those of the next are added', () => {
  const ledger = newLedger();
  ledger.apply({ kind: 'tracer_started', at: 1 });
  ledger.apply(tick(2, [wait(5)], [process('a', 5)]));
  ledger.apply(tick(3, [wait(5)], [process('a', 5)]));
  ledger.apply(tick(4, [wait(9)], [process('a', 9)]));
  ledger.apply({ kind: 'tracer_stopped', at: 5, reason: 'killed', handedOver: false });
  ledger.apply({ kind: 'tracer_started', at: 6 });
  ledger.apply(tick(7, [wait(3)], [process('a', 3)]));
  assert.deepEqual(totalsOf(ledger, 'write'), [12, 12_000]);
  assert.deepEqual(seriesOf(ledger, 'a'), [12, 12_000]);
});

test('a name ahead of the totals waits for the next tick', () => {
  const ledger = newLedger();
  ledger.apply(tick(1, [wait(5)], [process('a', 7)]));
  assert.deepEqual(seriesOf(ledger, 'a'), [5, 5000]);
  ledger.apply(tick(2, [wait(7)], [process('a', 7)]));
  assert.deepEqual(seriesOf(ledger, 'a'), [7, 7000]);
});

test('what no name claims goes to ~other', () => {
  const ledger = newLedger();
  ledger.apply(tick(1, [wait(10)], [process('a', 4)]));
  const other = ledger.waits.processes
    .series()
    .find(({ labels }) => labels.process === '~other' && labels.mode === 'write');
  assert.deepEqual(other?.totals, [6, 6000]);
});

test('a name whose rows were left out starts with what is new', () => {
  const ledger = newLedger(50, 2);
  ledger.apply(tick(1, [wait(30)], [process('a', 10), process('b', 10)]));
  ledger.apply(tick(2, [wait(32)], [process('a', 10), process('c', 12)]));
  assert.equal(seriesOf(ledger, 'c'), undefined);
  ledger.apply(tick(3, [wait(35)], [process('a', 10), process('c', 15)]));
  assert.deepEqual(seriesOf(ledger, 'c'), [3, 3000]);
  assert.deepEqual(processTotals(ledger, 'write'), [35, 35_000]);
});

test('a tick with a damaged line is made good by the next', () => {
  const ledger = newLedger();
  ledger.apply(tick(1, [wait(10)], [], { complete: false }));
  assert.deepEqual(totalsOf(ledger, 'write'), [0, 0]);
  ledger.apply(tick(2, [wait(12)], [process('a', 12)]));
  assert.deepEqual(seriesOf(ledger, 'a'), [12, 12_000]);
});

test('durations fall into the bucket they belong to', () => {
  const ledger = newLedger();
  const buckets = [
    { floorMicroseconds: 0, count: 1 },
    { floorMicroseconds: 8, count: 2 },
    { floorMicroseconds: 16, count: 4 },
    { floorMicroseconds: 2 ** 26, count: 8 },
    { floorMicroseconds: 2 ** 27, count: 16 },
    { floorMicroseconds: 2 ** 40, count: 32 },
  ];
  ledger.apply(tick(1, [], [], { durations: [{ mode: 'write', buckets }] }));
  const counts = ledger.waits.durations.get('write')!;
  assert.equal(counts[0], 3);
  assert.equal(counts[1], 4);
  assert.equal(counts.at(-2), 8);
  assert.equal(counts.at(-1), 48);
});

test('the oldest wait is told by mode, and forgotten with its tracer', () => {
  const ledger = newLedger();
  const ongoing = [1.5, 4, 2].map((seconds, tid) => ({
    mode: 'write' as const,
    operation: 'mmap' as const,
    foreign: false,
    pid: 1,
    tid,
    seconds,
  }));
  ledger.apply(tick(1, [], [], { ongoing }));
  assert.equal(ledger.waits.oldest('write'), 4);
  assert.equal(ledger.waits.oldest('read'), 0);
  ledger.apply({ kind: 'tracer_stopped', at: 2, reason: 'killed', handedOver: false });
  assert.equal(ledger.waits.oldest('write'), 0);
});

test('a full map asks for a restart after five quiet ticks or a minute, and at most every ten minutes', () => {
  const ledger = newLedger();
  const overflow = (at: number) =>
    ledger.apply({ kind: 'map_overflow', at, map: 'process_waits', updates: 1 });
  const restart = [{ kind: 'restart_tracer', reason: 'map_full' }];
  ledger.apply({ kind: 'events_lost', at: 500, events: 1, reason: 'busy', map: 'process_waits' });
  for (let second = 1; second <= 10; second += 1)
    assert.deepEqual(ledger.apply(tick(500 + second, [])), [], 'a map that was busy is not full');
  assert.deepEqual(overflow(1000), []);
  assert.deepEqual(ledger.apply(tick(2000, [wait(1)])), [], 'waits come in: a gap would cost some');
  for (const at of [3000, 4000, 5000, 6000])
    assert.deepEqual(ledger.apply(tick(at, [wait(1)])), [], 'no more than a pause, it may be');
  assert.deepEqual(ledger.apply(tick(7000, [wait(2)])), [], 'as it was');
  for (const at of [8000, 9000, 10_000, 11_000]) assert.deepEqual(ledger.apply(tick(at, [wait(2)])), []);
  assert.deepEqual(ledger.apply(tick(12_000, [wait(2)])), restart);
  assert.deepEqual(ledger.apply(tick(13_000, [wait(2)])), []);
  ledger.apply({ kind: 'tracer_started', at: 14_000 });
  assert.deepEqual(ledger.apply(tick(700_000, [wait(1)])), [], 'the maps of the new tracer are not full');
  overflow(700_000);
  assert.deepEqual(ledger.apply(tick(759_000, [wait(2)])), []);
  assert.deepEqual(ledger.apply(tick(760_000, [wait(3)])), restart, 'never quiet, but a minute is over');
  assert.equal(ledger.tracer.overflows.get('process_waits'), 2);
});

test('a gap counts from the last tick where the tracer could not hand over, and grows while it lasts', () => {
  const { tracer } = newLedger();
  tracer.started(1000);
  tracer.ticked(5000);
  tracer.stopped(5900, 'killed', false);
  assert.equal(tracer.blindSeconds(7000).get('killed'), 2);
  tracer.stopped(8000, 'missing', true);
  tracer.started(9000);
  assert.equal(tracer.blindSeconds(20_000).get('killed'), 4);
  assert.equal(tracer.restarts.get('missing'), 1);
});

test('a gap counts from when the probes began to go, however long the last maps took', () => {
  const { tracer } = newLedger();
  tracer.started(1000);
  tracer.ticked(5000);
  tracer.stopped(13_600, 'map_full', true, 5600);
  tracer.started(14_000);
  assert.equal(tracer.blindSeconds(20_000).get('map_full'), 8.4);
});

test('property: over all label sets the waits by process are the bounded totals, and nothing goes down', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const step = fc.record({
    event: fc.constantFrom('wait', 'wait', 'wait', 'wait', 'tick', 'tick', 'restart', 'damaged'),
    name: fc.constantFrom(...names),
    mode: fc.constantFrom('read' as const, 'write' as const),
    nanoseconds: fc.integer({ min: 1, max: 20_000_000 }),
    /** The update of the totals is not there yet when the tick is read. */
    late: fc.boolean(),
    /** The update by name was refused: the map is full. */
    lost: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 12 }),
      fc.array(step, { maxLength: 150, size: 'max' }),
      (slots, steps) => {
        const ledger = newLedger(slots, 6);
        const totals = new Map<string, { count: number; nanoseconds: number }>();
        const byName = new Map<string, { count: number; nanoseconds: number }>();
        let later: (() => void)[] = [];
        let before = new Map<string, number>();
        let at = 0;
        const add = (map: typeof totals, key: string, nanoseconds: number) => {
          const entry = map.get(key) ?? { count: 0, nanoseconds: 0 };
          entry.count += 1;
          entry.nanoseconds += nanoseconds;
          map.set(key, entry);
        };
        for (const { event, name, mode, nanoseconds, late, lost } of steps) {
          at += 20_000;
          if (event === 'wait') {
            if (!lost) add(byName, `${name} ${mode}`, nanoseconds);
            const total = () => add(totals, mode === 'read' ? 'page_fault' : 'munmap', nanoseconds);
            if (late) later.push(total);
            else total();
            continue;
          }
          if (event === 'restart') {
            ledger.apply({ kind: 'tracer_stopped', at, reason: 'killed', handedOver: false });
            ledger.apply({ kind: 'tracer_started', at });
            totals.clear();
            byName.clear();
            later = [];
            continue;
          }
          const waits = [...totals].map(([operation, { count, nanoseconds: ns }]) =>
            wait(count, ns, operation as 'munmap'),
          );
          const processes = [...byName]
            .map(([key, { count, nanoseconds: ns }]) => {
              const [comm = '', of] = key.split(' ');
              return process(comm, count, ns, of as 'read' | 'write');
            })
            .sort((a, b) => b.count - a.count)
            .slice(0, 6);
          ledger.apply(tick(at, waits, processes, { complete: event === 'tick' }));
          for (const update of later) update();
          later = [];

          const now = new Map<string, number>();
          for (const { labels, totals: values } of ledger.waits.processes.series())
            for (const [index, value] of values.entries())
              now.set(`${labels.process} ${labels.mode} ${index}`, value);
          for (const [key, value] of before) {
            const current = now.get(key);
            if (current !== undefined) assert.ok(current >= value, `${key} went down`);
          }
          before = now;
          // All of it takes less than an hour, so no slot is given away and the exposed sums must be equal.
          for (const of of ['read', 'write'])
            assert.deepEqual(processTotals(ledger, of), totalsOf(ledger, of));
        }
      },
    ),
    { numRuns: cases(150) },
  );
});

test('of many waits that go on the oldest 64 of each mode are listed, the oldest first', () => {
  const ledger = newLedger();
  const ongoing = Array.from({ length: 200 }, (_, index) =>
    ongoingWait(index % 2 === 0 ? 'read' : 'write', 'mmap', index),
  );
  ledger.apply({ kind: 'tracer_started', at: 1 });
  ledger.apply(tick(2, [], [], { ongoing }));
  const seconds = (mode: string) =>
    ledger.waits.ongoing.filter((wait) => wait.mode === mode).map((wait) => wait.seconds);
  assert.deepEqual(
    seconds('read'),
    Array.from({ length: 64 }, (_, place) => 198 - 2 * place),
  );
  assert.deepEqual(
    seconds('write'),
    Array.from({ length: 64 }, (_, place) => 199 - 2 * place),
  );
});
