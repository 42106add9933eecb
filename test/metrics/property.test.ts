import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TracerRecord } from '../../src/records.js';
import { operations, restartReasons } from '../../src/vocabulary.js';
import { epoch, FakeDaemon } from '../support/daemon.js';
import { parseExposition } from '../support/exposition.js';

const mode = fc.constantFrom('read' as const, 'write' as const);
const operation = fc.constantFrom(...operations);
const count = fc.nat(1000);
const nanoseconds = fc.nat(2 ** 40);
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
      waits: fc.array(fc.record({ mode, operation, count, nanoseconds }), { maxLength: 6 }),
      processes: fc.array(
        fc.record({
          name: fc.oneof(
            fc.constantFrom('a', 'b', 'c"', 'd\\', '\\x0a', ' '),
            fc.string({ minLength: 1, maxLength: 8 }),
          ),
          cgroupId: fc.constantFrom('0', '1', '4711'),
          mode,
          count,
          nanoseconds,
          lastPid: fc.option(fc.nat(), { nil: undefined }),
        }),
        { maxLength: 8 },
      ),
      durations: fc.array(
        fc.record({
          mode,
          buckets: fc.array(
            fc.record({
              floorMicroseconds: fc.nat(40).map((exponent) => (exponent === 0 ? 0 : 2 ** exponent)),
              count,
            }),
            { maxLength: 5 },
          ),
        }),
        { maxLength: 2 },
      ),
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

test('property: whatever the tracer says, no value is negative or no number, and no counter goes down', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 20 }),
      async (slots, steps) => {
        const daemon = new FakeDaemon({ flags: { 'metrics.process_slots': slots } });
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
    { numRuns: 150 },
  );
});
