import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ledger } from '../../src/ledger/ledger.js';
import type { Tick, VictimVmaWaitRow } from '../../src/records.js';
import { cases } from '../support/depth.js';
import { processRow, tick as tickOf, victimVmaWaitRow, waitRow } from '../support/records.js';

const newLedger = (slots = 50, rowLimit = 500) =>
  new Ledger({ waits: { slots, rowLimit, label: (name) => name } });

/** A tick of VMA waits, 1 us each unless told otherwise. */
const tick = (
  at: number,
  count: number,
  victimVmaWaits: readonly VictimVmaWaitRow[] = [],
  more: Partial<Tick> = {},
): Tick => tickOf(at, { vmaWaits: { count, nanoseconds: count * 1000 }, victimVmaWaits, ...more });

const victim = (name: string, count: number): VictimVmaWaitRow => victimVmaWaitRow(name, count, count * 1000);

const total = ({ vmaWaits: { total } }: Ledger): number[] => [total.count, total.nanoseconds];

const ofVictim = ({ vmaWaits }: Ledger, name: string): readonly number[] | undefined =>
  vmaWaits.victims.series().find(({ labels }) => labels.victim === name)?.totals;

/** Over all label sets. */
const ofVictims = ({ vmaWaits }: Ledger): number[] => {
  const sum = [0, 0];
  for (const { totals } of vmaWaits.victims.series())
    for (const [index, value] of totals.entries()) sum[index]! += value;
  return sum;
};

test('the total and ~other are there from the start, at 0', () => {
  const ledger = newLedger();
  assert.deepEqual(total(ledger), [0, 0]);
  assert.deepEqual(ofVictim(ledger, '~other'), [0, 0]);
});

test('what one tracer counted is taken once, and what the next counts is added', () => {
  const ledger = newLedger();
  ledger.apply({ kind: 'tracer_started', at: 1 });
  ledger.apply(tick(2, 5, [victim('a', 5)]));
  ledger.apply(tick(3, 5, [victim('a', 5)]));
  ledger.apply(tick(4, 9, [victim('a', 9)]));
  ledger.apply({ kind: 'tracer_stopped', at: 5, reason: 'killed', handedOver: false });
  ledger.apply({ kind: 'tracer_started', at: 6 });
  ledger.apply(tick(7, 3, [victim('a', 3)]));
  assert.deepEqual(total(ledger), [12, 12_000]);
  assert.deepEqual(ofVictim(ledger, 'a'), [12, 12_000]);
});

test('a tick with a damaged line is made good by the next', () => {
  const ledger = newLedger();
  ledger.apply(tick(1, 10, [], { complete: false }));
  assert.deepEqual(total(ledger), [0, 0]);
  ledger.apply(tick(2, 12, [victim('a', 12)]));
  assert.deepEqual(
    [total(ledger), ofVictim(ledger, 'a')],
    [
      [12, 12_000],
      [12, 12_000],
    ],
  );
});

test('a name ahead of the total waits for the next tick; what no name claims goes to ~other', () => {
  const ledger = newLedger();
  ledger.apply(tick(1, 5, [victim('a', 7)]));
  assert.deepEqual(ofVictim(ledger, 'a'), [5, 5000]);
  ledger.apply(tick(2, 10, [victim('a', 7)]));
  assert.deepEqual(ofVictim(ledger, 'a'), [7, 7000]);
  assert.deepEqual(ofVictim(ledger, '~other'), [3, 3000]);
});

test('10 ms earn a victim its own series', () => {
  const ledger = newLedger(4);
  const all = (times: number) => {
    const rows = [
      victimVmaWaitRow('first', 1, 1000),
      victimVmaWaitRow('second', 1, 1000),
      victimVmaWaitRow('long', times, times * 10_000_000),
      victimVmaWaitRow('often', times * 1000, times * 9_000_000),
    ];
    const sum = (of: 'count' | 'nanoseconds') => rows.reduce((amount, row) => amount + row[of], 0);
    return tickOf(times, {
      vmaWaits: { count: sum('count'), nanoseconds: sum('nanoseconds') },
      victimVmaWaits: rows,
    });
  };
  ledger.apply(all(1));
  ledger.apply(all(2));
  assert.deepEqual(ofVictim(ledger, 'long'), [1, 10_000_000]);
  assert.equal(ofVictim(ledger, 'often'), undefined);
  assert.deepEqual(ofVictims(ledger), total(ledger));
});

test('a process that has only VMA waits is in the list of processes; no waits are made of them', () => {
  const ledger = newLedger();
  ledger.apply(
    tickOf(1000, {
      waits: [waitRow('write', 'mmap', 2, 2000)],
      processes: [processRow('db', 'write', 2, 2000)],
      vmaWaits: { count: 5, nanoseconds: 5000 },
      victimVmaWaits: [victim('jvm', 1), victim('db', 4)],
    }),
  );
  const [read, nothing] = [
    { count: 0, nanoseconds: 0 },
    { count: 0, nanoseconds: 0 },
  ];
  const known = { cgroupId: '4711', lastAt: 1000 };
  assert.deepEqual(ledger.waits.list.entries(), [
    {
      ...known,
      name: 'jvm',
      waits: { read, write: nothing },
      vmaWaits: { count: 1, nanoseconds: 1000 },
      lastPid: undefined,
    },
    {
      ...known,
      name: 'db',
      waits: { read, write: { count: 2, nanoseconds: 2000 } },
      vmaWaits: { count: 4, nanoseconds: 4000 },
      lastPid: 42,
    },
  ]);
  assert.equal(
    [...ledger.waits.totals.values()].reduce((sum, { count }) => sum + count, 0),
    2,
  );
});

test('property: the VMA waits of all victims are the total, after every tick, and nothing goes down', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const step = fc.record({
    event: fc.constantFrom('wait', 'wait', 'wait', 'wait', 'tick', 'tick', 'restart', 'damaged'),
    name: fc.constantFrom(...names),
    nanoseconds: fc.integer({ min: 1, max: 20_000_000 }),
    /** The update of the total is not there yet when the tick is read. */
    late: fc.boolean(),
    /** The update by name was refused: the map is full. */
    lost: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 8 }),
      fc.array(step, { maxLength: 120, size: 'max' }),
      (slots, rowLimit, steps) => {
        const ledger = newLedger(slots, rowLimit);
        let all = { count: 0, nanoseconds: 0 };
        const byName = new Map<string, { count: number; nanoseconds: number }>();
        let later: (() => void)[] = [];
        let before = new Map<string, number>();
        let at = 0;
        for (const { event, name, nanoseconds, late, lost } of steps) {
          at += 20_000;
          if (event === 'wait') {
            const own = byName.get(name) ?? { count: 0, nanoseconds: 0 };
            if (!lost) byName.set(name, { count: own.count + 1, nanoseconds: own.nanoseconds + nanoseconds });
            const update = () => {
              all = { count: all.count + 1, nanoseconds: all.nanoseconds + nanoseconds };
            };
            if (late) later.push(update);
            else update();
            continue;
          }
          if (event === 'restart') {
            ledger.apply({ kind: 'tracer_started', at });
            all = { count: 0, nanoseconds: 0 };
            byName.clear();
            later = [];
            continue;
          }
          /** The largest of each map; 0 in a map whose row was left out. */
          const printed = (of: 'count' | 'nanoseconds') =>
            new Map(
              [...byName]
                .map(([key, amounts]) => [key, amounts[of]] as const)
                .sort((a, b) => b[1] - a[1])
                .slice(0, rowLimit),
            );
          const [counts, seconds] = [printed('count'), printed('nanoseconds')];
          ledger.apply(
            tickOf(at, {
              vmaWaits: all,
              victimVmaWaits: [...new Set([...counts.keys(), ...seconds.keys()])].map((key) =>
                victimVmaWaitRow(key, counts.get(key) ?? 0, seconds.get(key) ?? 0),
              ),
              complete: event === 'tick',
            }),
          );
          for (const update of later) update();
          later = [];

          const now = new Map<string, number>();
          for (const { labels, totals } of ledger.vmaWaits.victims.series())
            for (const [index, value] of totals.entries()) now.set(`${labels.victim} ${index}`, value);
          for (const [index, value] of total(ledger).entries()) now.set(`total ${index}`, value);
          for (const [key, value] of before) assert.ok(now.get(key)! >= value, `${key} went down`);
          before = now;
          assert.deepEqual(ofVictims(ledger), total(ledger));
        }
      },
    ),
    { numRuns: cases(150) },
  );
});
