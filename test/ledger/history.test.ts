import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type HistoryOptions, pageHistory } from '../../src/ledger/history.js';
import { Ledger } from '../../src/ledger/ledger.js';
import type { TracerRecord } from '../../src/records.js';
import { operations } from '../../src/vocabulary.js';
import { blockRow, procFileRow, readerBlockRow, tick, waitRow } from '../support/records.js';

const ms = 1e6;
/** A multiple of five seconds. */
const start = Date.UTC(2026, 0, 1);

const ledgerOf = (history: HistoryOptions = pageHistory, ...records: readonly TracerRecord[]): Ledger => {
  const ledger = new Ledger({
    waits: { slots: 50, rowLimit: Number.POSITIVE_INFINITY, label: (name) => name },
    blocksObserved: () => true,
    history,
  });
  for (const record of records) ledger.apply(record);
  return ledger;
};

/** So many munmaps so far, of 2 ms each, all behind the reader `agent` of smaps. */
const waited = (at: number, waits: number) =>
  tick(at, {
    waits: [waitRow('write', 'munmap', waits, waits * 2 * ms)],
    durations: [{ mode: 'write', buckets: [{ floorMicroseconds: 1024, count: waits }] }],
    blocks: [blockRow('smaps', waits, waits * 2 * ms)],
    readerBlocks: [readerBlockRow('agent', 'mysqld', 'smaps', waits, waits * 2 * ms)],
    writersBlocked: [{ file: 'smaps', nanoseconds: waits * 2 * ms }],
    procFiles: [procFileRow('smaps', { opens: waits, reads: waits * 3 })],
  });

test('a column holds what its ticks brought, and who blocked whom', () => {
  const { history } = ledgerOf(
    pageHistory,
    { kind: 'tracer_started', at: start },
    waited(start + 1000, 2),
    ...[2000, 3000, 4000, 5000].map((at) => waited(start + at, 5)),
    waited(start + 6000, 6),
  );
  const [first, second, ...more] = history.columns;
  assert.deepEqual(more, []);
  assert.deepEqual([first!.at, second!.at], [start, start + 5000]);
  assert.deepEqual([first!.observedSeconds, second!.observedSeconds], [5, 1]);
  const munmap = operations.indexOf('munmap');
  assert.deepEqual([first!.waits[munmap], second!.waits[munmap]], [5, 1]);
  assert.deepEqual([first!.waitNanoseconds[munmap], second!.waitNanoseconds[munmap]], [10 * ms, 2 * ms]);
  assert.equal(
    first!.durations.write.reduce((sum, count) => sum + count, 0),
    5,
  );
  assert.deepEqual(first!.files.get('smaps'), {
    opens: 5,
    reads: 15,
    retries: 0,
    fallbacks: 0,
    writersBlockedNanoseconds: 10 * ms,
  });
  const [block] = first!.blocks.values();
  assert.deepEqual(
    [block!.reader?.name, block!.victim.name, block!.file, block!.count, block!.nanoseconds],
    ['agent', 'mysqld', 'smaps', 5, 10 * ms],
  );
});

test('a tick at the edge belongs to the time it tells of', () => {
  const { history } = ledgerOf(
    pageHistory,
    { kind: 'tracer_started', at: start + 4000 },
    waited(start + 5000, 1),
  );
  assert.deepEqual(
    history.columns.map(({ at, observedSeconds }) => [at, observedSeconds]),
    [[start, 1]],
  );
});

test('what was not observed has no column, and adds no seconds to another', () => {
  const { history } = ledgerOf(
    pageHistory,
    { kind: 'tracer_started', at: start },
    waited(start + 1000, 1),
    { kind: 'tracer_stopped', at: start + 1500, reason: 'killed', handedOver: false },
    { kind: 'tracer_started', at: start + 31_500 },
    waited(start + 32_000, 4),
  );
  assert.deepEqual(
    history.columns.map(({ at, observedSeconds }) => [at - start, observedSeconds]),
    [
      [0, 1],
      [30_000, 0.5],
    ],
  );
});

test('the oldest columns go, and so do those of a time to come when the clock is set back', () => {
  const few = { columnSeconds: 5, columns: 3 };
  const ledger = ledgerOf(few, { kind: 'tracer_started', at: start });
  for (let second = 1; second <= 60; second += 1) ledger.apply(waited(start + second * 1000, second));
  assert.deepEqual(
    ledger.history.columns.map(({ at }) => (at - start) / 1000),
    [45, 50, 55],
  );
  ledger.apply(waited(start + 51_000, 61));
  assert.deepEqual(
    ledger.history.columns.map(({ at }) => (at - start) / 1000),
    [45, 50],
  );
});

test('of many pairs a column keeps the longest, and the time of all', () => {
  const rows = Array.from({ length: 500 }, (_, index) => ({
    reader: `reader-${index}`,
    nanoseconds: (index + 1) * ms,
  }));
  const all = rows.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  const { history } = ledgerOf(
    pageHistory,
    { kind: 'tracer_started', at: start },
    tick(start + 1000, {
      waits: [waitRow('write', 'munmap', 500, all)],
      blocks: [blockRow('smaps', 500, all)],
      readerBlocks: rows.map(({ reader, nanoseconds }) =>
        readerBlockRow(reader, 'mysqld', 'smaps', 1, nanoseconds),
      ),
    }),
  );
  const [column] = history.columns;
  const kept = [...column!.blocks.values()];
  assert.equal(kept.length, 100);
  assert.equal(Math.min(...kept.map(({ nanoseconds }) => nanoseconds)), 401 * ms);
  const keptTime = kept.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  assert.equal(keptTime + column!.otherBlocks.nanoseconds, all);
});

test('over all columns it is what the other ledgers counted, however often the tracer dies', () => {
  const step = fc.oneof(
    fc.nat(9).map((waits) => ({ kind: 'tick' as const, waits })),
    fc.constant({ kind: 'restart' as const, waits: 0 }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ledger = ledgerOf(pageHistory, { kind: 'tracer_started', at: start });
      let [at, waits] = [start, 0];
      for (const { kind, waits: more } of steps) {
        at += 1000;
        if (kind === 'tick') {
          waits += more;
          ledger.apply(waited(at, waits));
        } else {
          ledger.apply({ kind: 'tracer_stopped', at, reason: 'killed', handedOver: false });
          ledger.apply({ kind: 'tracer_started', at });
          waits = 0;
        }
      }
      const { columns } = ledger.history;
      const sum = (of: (column: (typeof columns)[number]) => number): number =>
        columns.reduce((total, column) => total + of(column), 0);
      const totals = [...ledger.waits.totals.values()];
      assert.equal(
        sum((column) => column.waits.reduce((all, count) => all + count, 0)),
        totals.reduce((all, { count }) => all + count, 0),
      );
      assert.equal(
        sum(({ blocks }) => [...blocks.values()].reduce((all, { nanoseconds }) => all + nanoseconds, 0)),
        ledger.blocks.files.get('smaps')!.nanoseconds,
      );
      assert.equal(
        sum(({ files }) => files.get('smaps')!.writersBlockedNanoseconds),
        ledger.blockedTime.files.get('smaps'),
      );
    }),
  );
});
