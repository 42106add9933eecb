import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ledger } from '../../src/ledger/ledger.js';
import type { ReaderLedger } from '../../src/ledger/readers.js';
import type { ReadCounts } from '../../src/records.js';
import { type ProcFile, procFiles } from '../../src/vocabulary.js';
import { cases } from '../support/depth.js';
import { noReads, procFileRow, readerRow, tick } from '../support/records.js';

const newLedger = (slots = 50, rowLimit = 500) =>
  new Ledger({ waits: { slots: 50, rowLimit, label: (name) => name }, readerSlots: slots });

/** opens, reads, retries, fallbacks, waits, nanoseconds waited. */
const ofFile = ({ files }: ReaderLedger, file: ProcFile): number[] => Object.values(files.get(file)!);

const ofReader = ({ readers }: ReaderLedger, file: ProcFile, name: string): readonly number[] | undefined =>
  readers.series().find(({ labels }) => labels.file === file && labels.reader === name)?.totals;

/** Over all label sets of a file. */
const ofReaders = ({ readers }: ReaderLedger, file: ProcFile): number[] => {
  const sum = [0, 0, 0, 0, 0, 0];
  for (const { labels, totals } of readers.series())
    if (labels.file === file) for (const [index, value] of totals.entries()) sum[index]! += value;
  return sum;
};

test('every file and its ~other are there from the start, at 0', () => {
  const { readers } = newLedger();
  for (const file of procFiles) {
    assert.deepEqual(ofFile(readers, file), [0, 0, 0, 0, 0, 0]);
    assert.deepEqual(ofReader(readers, file, '~other'), [0, 0, 0, 0, 0, 0]);
  }
});

test('what one tracer counted is taken once, and what the next counts is added', () => {
  const ledger = newLedger();
  const reads = (opens: number, reads: number) => ({
    procFiles: [procFileRow('maps', { opens, reads })],
    readers: [readerRow('cat', 'maps', { opens, reads })],
  });
  ledger.apply({ kind: 'tracer_started', at: 1 });
  ledger.apply(tick(2, reads(2, 4)));
  ledger.apply(tick(3, reads(2, 4)));
  ledger.apply(tick(4, reads(3, 6)));
  ledger.apply({ kind: 'tracer_stopped', at: 5, reason: 'killed', handedOver: false });
  ledger.apply({ kind: 'tracer_started', at: 6 });
  ledger.apply(tick(7, reads(1, 2)));
  assert.deepEqual(ofFile(ledger.readers, 'maps'), [4, 8, 0, 0, 0, 0]);
  assert.deepEqual(ofReader(ledger.readers, 'maps', 'cat'), [4, 8, 0, 0, 0, 0]);
});

test('a tick with a damaged line is made good by the next', () => {
  const ledger = newLedger();
  ledger.apply(tick(1, { procFiles: [procFileRow('maps', { reads: 5 })], complete: false }));
  assert.deepEqual(ofFile(ledger.readers, 'maps'), [0, 0, 0, 0, 0, 0]);
  ledger.apply(tick(2, { procFiles: [procFileRow('maps', { reads: 7 })] }));
  assert.deepEqual(ofFile(ledger.readers, 'maps'), [0, 7, 0, 0, 0, 0]);
});

test('files are apart: reads of one that no name claims are not given to readers of another', () => {
  const ledger = newLedger();
  ledger.apply(
    tick(1, {
      procFiles: [procFileRow('maps', { reads: 5 }), procFileRow('smaps', { reads: 3 })],
      readers: [readerRow('cat', 'maps', { reads: 9 })],
    }),
  );
  assert.deepEqual(ofReader(ledger.readers, 'maps', 'cat'), [0, 5, 0, 0, 0, 0]);
  assert.deepEqual(ofReader(ledger.readers, 'smaps', '~other'), [0, 3, 0, 0, 0, 0]);
});

test('100 reads or 10 ms of waiting earn a reader its own series', () => {
  const ledger = newLedger(2);
  const names: Readonly<Record<string, Partial<ReadCounts>>> = {
    first: { reads: 1 },
    often: { reads: 100 },
    waits: { waits: 1, waitNanoseconds: 10_000_000 },
    seldom: { reads: 99, opens: 1000 },
  };
  const sum = { opens: 1000, reads: 200, waits: 1, waitNanoseconds: 10_000_000 };
  const all = (more: number) => ({
    procFiles: [procFileRow('maps', { ...sum, reads: sum.reads + 4 * more })],
    readers: Object.entries(names).map(([name, counts]) =>
      readerRow(name, 'maps', { ...counts, reads: (counts.reads ?? 0) + more }),
    ),
  });
  ledger.apply(tick(1, all(0)));
  ledger.apply(tick(2, all(1)));
  assert.deepEqual(ofReader(ledger.readers, 'maps', 'often'), [0, 1, 0, 0, 0, 0]);
  assert.equal(ofReader(ledger.readers, 'maps', 'waits'), undefined, 'it earned one, but none is free');
  assert.equal(ofReader(ledger.readers, 'maps', 'seldom'), undefined);
  assert.deepEqual(ofReaders(ledger.readers, 'maps'), ofFile(ledger.readers, 'maps'));
});

test('waiting earns a reader a series without any reads; fallbacks alone do not', () => {
  const ledger = newLedger(4);
  const all = (times: number) => {
    const counts: Readonly<Record<string, Partial<ReadCounts>>> = {
      first: { reads: 1 },
      second: { reads: 1 },
      waits: { waits: times, waitNanoseconds: times * 10_000_000 },
      fallsBack: { fallbacks: times * 1000 },
    };
    return {
      procFiles: [
        procFileRow('maps', {
          reads: 2,
          fallbacks: times * 1000,
          waits: times,
          waitNanoseconds: times * 10_000_000,
        }),
      ],
      readers: Object.entries(counts).map(([name, amounts]) => readerRow(name, 'maps', amounts)),
    };
  };
  ledger.apply(tick(1, all(1)));
  ledger.apply(tick(2, all(2)));
  assert.deepEqual(ofReader(ledger.readers, 'maps', 'waits'), [0, 0, 0, 0, 1, 10_000_000]);
  assert.equal(ofReader(ledger.readers, 'maps', 'fallsBack'), undefined);
  assert.deepEqual(ofReaders(ledger.readers, 'maps'), ofFile(ledger.readers, 'maps'));
});

test('a reader left out of the largest by reads keeps its exact opens', () => {
  const ledger = newLedger(50, 2);
  const all = (files: Partial<ReadCounts>, rows: Readonly<Record<string, Partial<ReadCounts>>>) => ({
    procFiles: [procFileRow('maps', files)],
    readers: Object.entries(rows).map(([name, counts]) => readerRow(name, 'maps', counts)),
  });
  ledger.apply(
    tick(1, all({ opens: 1, reads: 30 }, { a: { reads: 10 }, b: { reads: 10 }, c: { opens: 1 } })),
  );
  ledger.apply(tick(2, all({ opens: 3, reads: 35 }, { a: { reads: 11 }, c: { opens: 3, reads: 14 } })));
  ledger.apply(tick(3, all({ opens: 3, reads: 37 }, { a: { reads: 11 }, c: { opens: 3, reads: 16 } })));
  assert.deepEqual(ofReader(ledger.readers, 'maps', 'c'), [3, 2, 0, 0, 0, 0]);
  assert.deepEqual(ofReaders(ledger.readers, 'maps'), ofFile(ledger.readers, 'maps'));
});

test('the list tells who read what, and which process did last', () => {
  const ledger = newLedger();
  const [maps, smaps] = [procFileRow('maps', { reads: 3 }), procFileRow('smaps', { reads: 2 })];
  ledger.apply(
    tick(1000, {
      procFiles: [maps, smaps],
      readers: [readerRow('cat', 'maps', { reads: 3 }), readerRow('cat', 'smaps', { reads: 2 })],
    }),
  );
  const last = { lastPid: 5, lastTargetPid: undefined };
  ledger.apply(
    tick(2000, {
      procFiles: [procFileRow('maps', { reads: 4 }), smaps],
      readers: [readerRow('cat', 'maps', { reads: 4 }, last), readerRow('cat', 'smaps', { reads: 2 }, last)],
    }),
  );
  const cat = { ...noReads, name: 'cat', cgroupId: '4711' };
  assert.deepEqual(ledger.readers.list.entries(), [
    { ...cat, file: 'smaps', reads: 2, lastPid: 4242, lastTargetPid: 42, lastSeenAt: 1000 },
    { ...cat, file: 'maps', reads: 4, ...last, lastSeenAt: 2000 },
  ]);
});

test('property: the reads of a file are those of its readers, after every tick, and nothing goes down', () => {
  const amounts = ['opens', 'reads', 'retries', 'fallbacks', 'waits', 'waitNanoseconds'] as const;
  const step = fc.record({
    event: fc.constantFrom('read', 'read', 'read', 'read', 'tick', 'tick', 'restart', 'damaged'),
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    file: fc.constantFrom<ProcFile[]>('maps', 'smaps', 'remote'),
    amount: fc.constantFrom(...amounts),
    by: fc.integer({ min: 1, max: 200 }),
    late: fc.boolean(),
    lost: fc.boolean(),
  });
  type Counts = Record<(typeof amounts)[number], number>;
  const add = (to: Map<string, Counts>, key: string, amount: keyof Counts, by: number): void => {
    const counts = to.get(key) ?? { ...noReads };
    counts[amount] += by;
    to.set(key, counts);
  };
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 8 }),
      fc.array(step, { maxLength: 120, size: 'max' }),
      (slots, rowLimit, steps) => {
        const ledger = newLedger(slots, rowLimit);
        const byFile = new Map<string, Counts>();
        const byName = new Map<string, Counts>();
        let later: (() => void)[] = [];
        let before = new Map<string, number>();
        let at = 0;
        for (const { event, name, file, amount, by, late, lost } of steps) {
          at += 20_000;
          if (event === 'read') {
            if (!lost) add(byName, `${name} ${file}`, amount, by);
            const total = () => add(byFile, file, amount, by);
            if (late) later.push(total);
            else total();
            continue;
          }
          if (event === 'restart') {
            ledger.apply({ kind: 'tracer_started', at });
            byFile.clear();
            byName.clear();
            later = [];
            continue;
          }
          /** The least that is still printed of each amount. */
          const least = amounts.map(
            (amount) =>
              [...byName.values()].map((counts) => counts[amount]).sort((a, b) => b - a)[rowLimit - 1] ?? 0,
          );
          ledger.apply(
            tick(at, {
              procFiles: [...byFile].map(([file, counts]) => procFileRow(file as ProcFile, counts)),
              readers: [...byName].map(([key, counts]) => {
                const [name = '', file] = key.split(' ');
                const printed = amounts.map((amount, index) => [
                  amount,
                  counts[amount] >= least[index]! ? counts[amount] : 0,
                ]);
                return readerRow(name, file as ProcFile, Object.fromEntries(printed));
              }),
              complete: event === 'tick',
            }),
          );
          for (const update of later) update();
          later = [];

          const now = new Map<string, number>();
          for (const { labels, totals } of ledger.readers.readers.series())
            for (const [index, value] of totals.entries())
              now.set(`${labels.file} ${labels.reader} ${index}`, value);
          for (const file of procFiles)
            for (const [index, value] of ofFile(ledger.readers, file).entries())
              now.set(`${file} ${index}`, value);
          for (const [key, value] of before) assert.ok(now.get(key)! >= value, `${key} went down`);
          before = now;
          for (const file of procFiles)
            assert.deepEqual(ofReaders(ledger.readers, file), ofFile(ledger.readers, file));
        }
      },
    ),
    { numRuns: cases(150) },
  );
});
