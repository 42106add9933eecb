import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BlockLedger } from '../../src/ledger/blocks.js';
import { Ledger } from '../../src/ledger/ledger.js';
import type { BlockFile } from '../../src/ledger/lists/block-list.js';
import type { ReaderBlockRow, Tick } from '../../src/records.js';
import { type Mode, type ProcFile, procFiles } from '../../src/vocabulary.js';
import { cases } from '../support/depth.js';
import { blockRow, readerBlockRow, tick, unblockedRow, waitRow } from '../support/records.js';

const files: readonly BlockFile[] = [...procFiles, '~unknown'];

const newLedger = (slots = 100, rowLimit = 500) =>
  new Ledger({
    waits: { slots: 50, rowLimit, label: (name) => name },
    blockSlots: slots,
    blocksObserved: () => true,
  });

/** A tick of write waits that took so many nanoseconds in all. */
const waited = (at: number, nanoseconds: number, parts: Partial<Tick> = {}): Tick =>
  tick(at, { waits: [waitRow('write', 'munmap', 1, nanoseconds)], ...parts });

const ofFile = ({ blocks }: Ledger, file: BlockFile): [number, number] => {
  const { count, nanoseconds } = blocks.files.get(file)!;
  return [count, nanoseconds];
};

const unblockedOf = ({ blocks }: Ledger, mode: Mode): [number, number] => {
  const { count, nanoseconds } = blocks.unblocked.get(mode)!;
  return [count, nanoseconds];
};

const pairOf = ({ blocks }: Ledger, ...names: readonly [file: BlockFile, reader: string, victim: string]) =>
  blocks.pairs.series().find(({ labels }) => Object.values(labels).join() === names.join())?.totals;

const nanosecondsOf = (totals: Iterable<{ readonly nanoseconds: number }>): number =>
  [...totals].reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);

/** What must hold after every tick. */
const assertConserved = ({ waits, blocks }: Ledger): void => {
  assert.equal(
    nanosecondsOf(blocks.files.values()) + nanosecondsOf(blocks.unblocked.values()),
    nanosecondsOf(waits.totals.values()),
    'blocks and unblocked waits are all waits',
  );
  for (const file of files) {
    const sum = { count: 0, nanoseconds: 0 };
    for (const { labels, totals } of blocks.pairs.series())
      if (labels.file === file) {
        sum.count += totals[0]!;
        sum.nanoseconds += totals[1]!;
      }
    assert.deepEqual(sum, blocks.files.get(file), `pairs of ${file}`);
  }
};

test('every file, its pair of ~other and both modes are there from the start, at 0', () => {
  const ledger = newLedger();
  for (const file of files) assert.deepEqual(ofFile(ledger, file), [0, 0]);
  for (const file of procFiles) assert.deepEqual(pairOf(ledger, file, '~other', '~other'), [0, 0]);
  assert.deepEqual(pairOf(ledger, '~unknown', '~unknown', '~other'), [0, 0]);
  for (const mode of ['read', 'write'] as const) assert.deepEqual(unblockedOf(ledger, mode), [0, 0]);
});

test('a wait is shared among its readers, what no reader owns, and waits behind nobody', () => {
  const ledger = newLedger();
  ledger.apply(
    waited(1, 1000, {
      blocks: [blockRow('smaps', 2, 600), blockRow(undefined, 1, 100)],
      readerBlocks: [
        readerBlockRow('agent', 'db', 'smaps', 1, 400),
        readerBlockRow('other', 'db', 'smaps', 1, 200),
        readerBlockRow(undefined, 'db', undefined, 1, 100),
      ],
      unblocked: [unblockedRow('write', 3, 300)],
    }),
  );
  assertConserved(ledger);
  assert.deepEqual(ofFile(ledger, 'smaps'), [2, 600]);
  assert.deepEqual(ofFile(ledger, '~unknown'), [1, 100]);
  assert.deepEqual(unblockedOf(ledger, 'write'), [3, 300]);
  assert.deepEqual(pairOf(ledger, 'smaps', 'agent', 'db'), [1, 400]);
  assert.deepEqual(pairOf(ledger, 'smaps', 'other', 'db'), [1, 200]);
  assert.deepEqual(pairOf(ledger, '~unknown', '~unknown', 'db'), [1, 100]);
});

test('blocks ahead of the waits wait for the next tick', () => {
  const ledger = newLedger();
  const parts = {
    blocks: [blockRow('smaps', 2, 900)],
    readerBlocks: [readerBlockRow('agent', 'db', 'smaps', 2, 900)],
    unblocked: [unblockedRow('read', 1, 200)],
  };
  ledger.apply(waited(1, 500, parts));
  assertConserved(ledger);
  assert.deepEqual([ofFile(ledger, 'smaps')[1], unblockedOf(ledger, 'read')[1]], [500, 0]);
  ledger.apply(waited(2, 1100, parts));
  assertConserved(ledger);
  assert.deepEqual([ofFile(ledger, 'smaps')[1], unblockedOf(ledger, 'read')[1]], [900, 200]);
  assert.deepEqual(pairOf(ledger, 'smaps', 'agent', 'db'), [2, 900]);
  assert.deepEqual(ofFile(ledger, '~unknown'), [0, 0]);
});

test('what was lost to a full map is ~unknown, whose victims are ~other', () => {
  const ledger = newLedger();
  ledger.apply(waited(1, 1000, { blocks: [blockRow('smaps', 1, 600)] }));
  assertConserved(ledger);
  assert.deepEqual(ofFile(ledger, '~unknown'), [0, 400]);
  assert.deepEqual(pairOf(ledger, '~unknown', '~unknown', '~other'), [0, 400]);
  assert.deepEqual(pairOf(ledger, 'smaps', '~other', '~other'), [1, 600], 'its pair was lost, too');
});

test('while blocks are not observed, waits belong to nobody', () => {
  let observed = false;
  const ledger = new Ledger({
    waits: { slots: 50, rowLimit: 500, label: (name) => name },
    blocksObserved: () => observed,
  });
  ledger.apply(waited(1, 1000));
  assert.deepEqual(ofFile(ledger, '~unknown'), [0, 0]);
  ledger.apply({ kind: 'tracer_stopped', at: 2, reason: 'replan', handedOver: true });
  observed = true;
  ledger.apply({ kind: 'tracer_started', at: 3 });
  ledger.apply(waited(4, 700, { unblocked: [unblockedRow('write', 1, 600)] }));
  assert.deepEqual(unblockedOf(ledger, 'write'), [1, 600]);
  assert.deepEqual(ofFile(ledger, '~unknown'), [0, 100], 'of what was waited since');
});

test('a new tracer counts from zero; the totals go on', () => {
  const ledger = newLedger();
  const parts = {
    blocks: [blockRow('smaps', 1, 900)],
    blockDurations: [{ file: 'smaps', buckets: [{ floorMicroseconds: 16, count: 1 }] }] as const,
    readerBlocks: [readerBlockRow('agent', 'db', 'smaps', 1, 900)],
  };
  ledger.apply(waited(1, 500, parts));
  ledger.apply({ kind: 'tracer_started', at: 2 });
  ledger.apply(waited(3, 900, parts));
  assertConserved(ledger);
  assert.deepEqual(ofFile(ledger, 'smaps'), [2, 1400]);
  assert.deepEqual(pairOf(ledger, 'smaps', 'agent', 'db'), [2, 1400]);
  assert.equal(ledger.blocks.durations.get('smaps')![1], 2);
});

test('durations are kept by file', () => {
  const ledger = newLedger();
  ledger.apply(
    waited(1, 0, {
      blockDurations: [
        { file: undefined, buckets: [{ floorMicroseconds: 0, count: 1 }] },
        { file: 'maps', buckets: [{ floorMicroseconds: 2 ** 30, count: 2 }] },
      ],
    }),
  );
  assert.equal(ledger.blocks.durations.get('~unknown')![0], 1);
  assert.equal(ledger.blocks.durations.get('maps')!.at(-1), 2);
});

test('the list tells who made whom wait, by name and cgroup', () => {
  const ledger = newLedger();
  const rows = (nanoseconds: number) => ({
    blocks: [blockRow('smaps', 2, nanoseconds), blockRow(undefined, 1, 5)],
    readerBlocks: [
      readerBlockRow('a b', 'c', 'smaps', 1, nanoseconds - 10),
      readerBlockRow('a', 'b c', 'smaps', 1, 10),
      readerBlockRow(undefined, 'c', undefined, 1, 5),
    ],
  });
  ledger.apply(waited(1000, 105, rows(100)));
  ledger.apply(waited(2000, 305, rows(300)));
  const of = (name: string) => ({ name, cgroupId: '4711' });
  assert.deepEqual(ledger.blocks.list.entries(), [
    { reader: of('a'), victim: of('b c'), file: 'smaps', count: 1, nanoseconds: 10, lastSeenAt: 1000 },
    { reader: undefined, victim: of('c'), file: '~unknown', count: 1, nanoseconds: 5, lastSeenAt: 1000 },
    { reader: of('a b'), victim: of('c'), file: 'smaps', count: 1, nanoseconds: 290, lastSeenAt: 2000 },
  ]);
});

test('10 ms earn a pair its own series; ~unknown keeps its name when it is folded', () => {
  const ledger = newLedger(2);
  const pairs = (more: number) => [
    readerBlockRow('first', 'db', 'smaps', 1, 20_000_000),
    readerBlockRow('long', 'db', 'smaps', 1, 10_000_000 + more),
    readerBlockRow('short', 'db', 'smaps', 1, 9_000_000 + more),
    readerBlockRow(undefined, 'db', undefined, 1, 1000),
  ];
  for (const more of [0, 10])
    ledger.apply(
      waited(1, 39_001_000 + 2 * more, {
        blocks: [blockRow('smaps', 3, 39_000_000 + 2 * more), blockRow(undefined, 1, 1000)],
        readerBlocks: pairs(more),
      }),
    );
  assertConserved(ledger);
  assert.deepEqual(pairOf(ledger, 'smaps', 'long', 'db'), [0, 10]);
  assert.equal(pairOf(ledger, 'smaps', 'short', 'db'), undefined);
  assert.deepEqual(pairOf(ledger, '~unknown', '~unknown', '~other'), [1, 1000]);
});

/** What the maps of a tracer hold. The three stages of a wait are updated in this order and printed in the opposite one. */
class Maps {
  readonly pairs = new Map<string, ReaderBlockRow>();
  readonly blocks = new Map<BlockFile, { count: number; nanoseconds: number }>();
  readonly unblocked = new Map<Mode, { count: number; nanoseconds: number }>();
  readonly waits = new Map<Mode, { count: number; nanoseconds: number }>();

  addPair(reader: string | undefined, victim: string, file: ProcFile | undefined, nanoseconds: number): void {
    const key = [file, reader, victim].join();
    const { count, nanoseconds: sum } = this.pairs.get(key) ?? { count: 0, nanoseconds: 0 };
    this.pairs.set(key, readerBlockRow(reader, victim, file, count + 1, sum + nanoseconds));
  }

  add<Key>(to: Map<Key, { count: number; nanoseconds: number }>, key: Key, nanoseconds: number): void {
    const total = to.get(key) ?? { count: 0, nanoseconds: 0 };
    to.set(key, { count: total.count + 1, nanoseconds: total.nanoseconds + nanoseconds });
  }

  tick(at: number, rowLimit: number): Tick {
    return tick(at, {
      waits: Array.from(this.waits, ([mode, { count, nanoseconds }]) =>
        waitRow(mode, mode === 'read' ? 'page_fault' : 'munmap', count, nanoseconds),
      ),
      blocks: Array.from(this.blocks, ([file, { count, nanoseconds }]) =>
        blockRow(file === '~unknown' ? undefined : file, count, nanoseconds),
      ),
      readerBlocks: [...this.pairs.values()].sort((a, b) => b.nanoseconds - a.nanoseconds).slice(0, rowLimit),
      unblocked: Array.from(this.unblocked, ([mode, { count, nanoseconds }]) =>
        unblockedRow(mode, count, nanoseconds),
      ),
    });
  }
}

const wait = fc.record({
  event: fc.constant('wait' as const),
  mode: fc.constantFrom<Mode[]>('read', 'write'),
  victim: fc.constantFrom('v', 'w'),
  /** Each reader's share; without a file it is that of ~unknown. None: nobody blocked it. */
  shares: fc.array(
    fc.record({
      reader: fc.constantFrom('a', 'b', 'c'),
      file: fc.option(fc.constantFrom<ProcFile[]>('maps', 'smaps'), { nil: undefined }),
      nanoseconds: fc.integer({ min: 0, max: 15_000_000 }),
    }),
    { maxLength: 3 },
  ),
  /** What nobody blocked took. */
  nanoseconds: fc.integer({ min: 0, max: 15_000_000 }),
  /** Stages of its update that are not there yet when the tick is read: the last ones. */
  late: fc.nat(2),
  /** Updates of blocks that were refused: a map is full. */
  lost: fc.constantFrom<('pairs' | 'blocks')[]>('pairs', 'blocks'),
  isLost: fc.boolean(),
});
const stepsOf = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: wait },
    { weight: 3, arbitrary: fc.record({ event: fc.constant('tick' as const) }) },
    { weight: 1, arbitrary: fc.record({ event: fc.constantFrom('restart' as const, 'damaged' as const) }) },
  ),
  { maxLength: 100, size: 'max' },
);

type Step = typeof stepsOf extends fc.Arbitrary<readonly (infer Each)[]> ? Each : never;

type Wait = typeof wait extends fc.Arbitrary<infer Each> ? Each : never;

/** The updates of one wait, in order. */
const stagesOf = (
  maps: Maps,
  { mode, victim, shares, nanoseconds, lost, isLost }: Wait,
  losses: boolean,
): (() => void)[] => {
  const isRefused = (map: 'pairs' | 'blocks'): boolean => losses && isLost && lost === map;
  return [
    () => {
      if (isRefused('pairs')) return;
      for (const { reader, file, nanoseconds } of shares)
        maps.addPair(file && reader, victim, file, nanoseconds);
    },
    () => {
      if (isRefused('blocks')) return;
      for (const { file = '~unknown', nanoseconds } of shares) maps.add(maps.blocks, file, nanoseconds);
      if (shares.length === 0) maps.add(maps.unblocked, mode, nanoseconds);
    },
    () => maps.add(maps.waits, mode, shares.length === 0 ? nanoseconds : nanosecondsOf(shares)),
  ];
};

/** Plays what happens, asserts what must hold after every tick, and ends with a tick when all is there. */
const play = (ledger: Ledger, all: readonly Step[], rowLimit: number, losses: boolean): Maps => {
  let maps = new Maps();
  let later: (() => void)[] = [];
  let before = new Map<string, number>();
  let at = 0;
  const apply = (complete: boolean): void => {
    ledger.apply({ ...maps.tick(at, rowLimit), complete });
    for (const update of later) update();
    later = [];
    assertConserved(ledger);
    const now = valuesOf(ledger.blocks);
    for (const [key, value] of before) assert.ok(now.get(key)! >= value, `${key} went down`);
    before = now;
  };
  for (const step of all) {
    at += 20_000;
    if (step.event === 'wait') {
      const stages = stagesOf(maps, step, losses);
      for (const stage of stages.slice(0, 3 - step.late)) stage();
      later.push(...stages.slice(3 - step.late));
    } else if (step.event === 'restart') {
      ledger.apply({ kind: 'tracer_started', at });
      maps = new Maps();
      later = [];
    } else apply(step.event === 'tick');
  }
  for (const update of later) update();
  later = [];
  apply(true);
  return maps;
};

const valuesOf = ({ files, unblocked, pairs }: BlockLedger): Map<string, number> => {
  const values = new Map<string, number>();
  for (const [key, { count, nanoseconds }] of [...files, ...unblocked]) {
    values.set(`${key} count`, count);
    values.set(`${key} nanoseconds`, nanoseconds);
  }
  for (const { labels, totals } of pairs.series())
    for (const [index, value] of totals.entries())
      values.set(`${JSON.stringify(Object.values(labels))} ${index}`, value);
  return values;
};

test('property: blocks are conserved after every tick, whatever is late, left out or lost, and nothing goes down', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      stepsOf,
      (slots, rowLimit, all) => {
        play(newLedger(slots, rowLimit), all, rowLimit, true);
      },
    ),
    { numRuns: cases(150) },
  );
});

test('property: with nothing lost, what was late is where it belongs in the end', () => {
  fc.assert(
    fc.property(
      stepsOf.map((all) => all.filter(({ event }) => event !== 'restart')),
      (all) => {
        const ledger = newLedger();
        const maps = play(ledger, all, Number.POSITIVE_INFINITY, false);
        const nothing = { count: 0, nanoseconds: 0 };
        for (const [file, total] of ledger.blocks.files)
          assert.deepEqual(total, maps.blocks.get(file) ?? nothing, file);
        for (const [mode, total] of ledger.blocks.unblocked)
          assert.deepEqual(total, maps.unblocked.get(mode) ?? nothing, mode);
        for (const row of maps.pairs.values())
          if (row.count > 0)
            assert.deepEqual(
              pairOf(ledger, row.file ?? '~unknown', row.reader?.name ?? '~unknown', row.victim.name),
              [row.count, row.nanoseconds],
            );
      },
    ),
    { numRuns: cases(150) },
  );
});
