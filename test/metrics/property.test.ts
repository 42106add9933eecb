import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TracerRecord } from '../../src/records.js';
import { operations, procFiles, restartReasons } from '../../src/vocabulary.js';
import { epoch, FakeDaemon } from '../support/daemon.js';
import { cases } from '../support/depth.js';
import { type ParsedFamily, parseExposition } from '../support/exposition.js';
import { nothingSeen } from '../support/records.js';

const mode = fc.constantFrom('read' as const, 'write' as const);
const operation = fc.constantFrom(...operations);
const count = fc.nat(1000);
const nanoseconds = fc.nat(2 ** 40);
const file = fc.constantFrom(...procFiles);
const blockFile = fc.constantFrom(undefined, ...procFiles);
const pid = fc.option(fc.nat(), { nil: undefined });
const buckets = fc.array(
  fc.record({
    floorMicroseconds: fc.nat(40).map((exponent) => (exponent === 0 ? 0 : 2 ** exponent)),
    count,
  }),
  { maxLength: 5 },
);
const named = {
  name: fc.oneof(
    fc.constantFrom('a', 'b', 'c"', 'd\\', '\\x0a', ' '),
    fc.string({ minLength: 1, maxLength: 8 }),
  ),
  cgroupId: fc.constantFrom('0', '1', '4711'),
};
const reads = {
  opens: count,
  reads: count,
  retries: count,
  fallbacks: count,
  waits: count,
  waitNanoseconds: nanoseconds,
};
/** Of each record what it says; its time is set when it is applied. */
type Untimed = TracerRecord extends infer Each
  ? Each extends TracerRecord
    ? Omit<Each, 'at'>
    : never
  : never;

// Values of a tick are drawn freely, so they also shrink within one tracer's life, which no map of ours does.
const record: fc.Arbitrary<Untimed> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('tick' as const),
      lockTakes: fc.constant([]),
      own: fc.constant(nothingSeen),
      waits: fc.array(fc.record({ mode, operation, count, nanoseconds }), { maxLength: 6 }),
      processes: fc.array(
        fc.record({
          ...named,
          mode,
          count,
          nanoseconds,
          lastPid: pid,
        }),
        { maxLength: 8 },
      ),
      durations: fc.array(fc.record({ mode, buckets }), { maxLength: 2 }),
      ongoing: fc.array(
        fc.record({
          mode,
          operation,
          foreign: fc.boolean(),
          pid: fc.nat(),
          tid: fc.nat(),
          seconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
        }),
        { maxLength: 3 },
      ),
      procFiles: fc.array(fc.record({ file, ...reads }), { maxLength: 4 }),
      readers: fc.array(fc.record({ ...named, file, ...reads, lastPid: pid, lastTargetPid: pid }), {
        maxLength: 6,
      }),
      blocks: fc.array(fc.record({ file: blockFile, count, nanoseconds }), { maxLength: 4 }),
      blockDurations: fc.array(fc.record({ file: blockFile, buckets }), { maxLength: 2 }),
      readerBlocks: fc.array(
        fc.record({
          reader: fc.option(fc.record(named), { nil: undefined }),
          victim: fc.record(named),
          file: blockFile,
          count,
          nanoseconds,
        }),
        { maxLength: 6 },
      ),
      unblocked: fc.array(fc.record({ mode, count, nanoseconds }), { maxLength: 2 }),
      vmaWaits: fc.record({ count, nanoseconds }),
      victimVmaWaits: fc.array(fc.record({ ...named, count, nanoseconds }), { maxLength: 6 }),
      convoys: fc.record({ count, nanoseconds }),
      victimConvoys: fc.array(fc.record({ ...named, count, nanoseconds }), { maxLength: 6 }),
      writersBlocked: fc.array(fc.record({ file, nanoseconds }), { maxLength: 4 }),
      victimsBlocked: fc.array(fc.record({ ...named, nanoseconds }), { maxLength: 6 }),
      untoldStalls: count,
      holds: fc.constant([]),
      writerStacks: fc.constant([]),
      complete: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tracer_started' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('tracer_stopped' as const),
      reason: fc.constantFrom(...restartReasons),
      handedOver: fc.boolean(),
    }),
  },
  fc.record({ kind: fc.constant('events_lost' as const), events: fc.nat(1000) }),
  fc.record({ kind: fc.constant('undecodable' as const), reason: fc.string() }),
  fc.record({
    kind: fc.constant('map_overflow' as const),
    map: fc.constantFrom('waits', 'unknown'),
    updates: count,
  }),
);

/** A record, and how many milliseconds after the one before it comes. */
const step = fc.record({ record, later: fc.nat(5_000_000) });

const isCounter = (type: string, sample: string): boolean =>
  type === 'counter' || (type === 'histogram' && /_(bucket|sum|count)$/.test(sample));

const fewSlots = (slots: number): FakeDaemon =>
  new FakeDaemon({
    flags: {
      'metrics.process_slots': slots,
      'metrics.reader_slots': slots,
      'metrics.block_slots': slots,
      'metrics.watched_victims': ['a', 'd\\'],
    },
  });

test('property: whatever the tracer says, no value is negative or no number, and no counter goes down', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 20 }),
      async (slots, steps) => {
        const daemon = fewSlots(slots);
        let before = new Map<string, number>();
        let at = epoch;
        for (const { record: said, later } of steps) {
          at += later;
          daemon.apply({ ...said, at } as TracerRecord);
          const now = new Map<string, number>();
          for (const { type, samples } of parseExposition(await daemon.text()).values())
            for (const { name, series, value } of samples) {
              assert.ok(Number.isFinite(value) && value >= 0, `${series} is ${value}`);
              if (!isCounter(type, name)) continue;
              const earlier = before.get(series) ?? 0;
              assert.ok(value >= earlier, `${series} went from ${earlier} to ${value}`);
              now.set(series, value);
            }
          before = now;
        }
      },
    ),
    { numRuns: cases(20) },
  );
});

/** Families of which each member's samples are, over all the other labels, one sample of a bounded family. */
const drillDowns = [
  ['mmaplock_reader_opens_total', 'mmaplock_proc_opens_total'],
  ['mmaplock_reader_reads_total', 'mmaplock_proc_reads_total'],
  ['mmaplock_reader_retries_total', 'mmaplock_proc_read_retries_total'],
  ['mmaplock_reader_fallbacks_total', 'mmaplock_proc_read_fallbacks_total'],
  ['mmaplock_reader_waits_total', 'mmaplock_proc_read_waits_total'],
  ['mmaplock_reader_wait_seconds_total', 'mmaplock_proc_read_wait_seconds_total'],
  ['mmaplock_reader_blocks_total', 'mmaplock_blocks_total'],
  ['mmaplock_reader_block_seconds_total', 'mmaplock_block_seconds_total'],
  ['mmaplock_victim_vma_wait_seconds_total', 'mmaplock_vma_wait_seconds_total'],
] as const;

/** The sum of a family by its label `file`, if it has one, seconds as whole nanoseconds. */
const byFile = (families: ReadonlyMap<string, ParsedFamily>, name: string): Map<string, number> => {
  const scale = name.includes('_seconds') ? 1e9 : 1;
  const sums = new Map<string, number>();
  for (const { labels, value } of families.get(name)?.samples ?? []) {
    const file = labels.file ?? '';
    sums.set(file, (sums.get(file) ?? 0) + Math.round(value * scale));
  }
  return sums;
};

test('property: block and unblocked seconds are all wait seconds, and names add up to their files, after every record', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 20 }),
      async (slots, steps) => {
        const daemon = fewSlots(slots);
        let at = epoch;
        for (const { record: said, later } of steps) {
          // Within the hour: a slot given away would end a series, and take its total with it.
          at += later % 1000;
          daemon.apply({ ...said, at } as TracerRecord);
          const families = parseExposition(await daemon.text());
          const total = (name: string) =>
            [...byFile(families, name).values()].reduce((sum, value) => sum + value, 0);
          assert.equal(
            total('mmaplock_block_seconds_total') + total('mmaplock_unblocked_wait_seconds_total'),
            total('mmaplock_wait_seconds_total'),
          );
          for (const [byName, bounded] of drillDowns)
            assert.deepEqual(
              [...byFile(families, byName)].filter(([, value]) => value > 0).sort(),
              [...byFile(families, bounded)].filter(([, value]) => value > 0).sort(),
              byName,
            );
        }
      },
    ),
    { numRuns: cases(20) },
  );
});
