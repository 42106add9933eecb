/**
 * Blocks: what of the waits was spent behind readers of which proc file, who made whom wait, and the waits behind no
 * reader. To the nanosecond, after every tick:
 * - blocks of all files, `~unknown` with them, and unblocked waits are all waits since blocks are observed
 * - blocks of a file over all label sets of reader and victim are the blocks of that file
 */
import type { ReaderBlockRow, Tick } from '../records.js';
import { type Mode, procFiles, unknown } from '../vocabulary.js';
import { addDurations, noDurations } from './durations.js';
import { type BlockFile, BlockList, type BlockTotal, blockKey, nothing } from './lists/block-list.js';
import { Apportionment } from './slots/apportion.js';
import { Growth } from './slots/growth.js';
import type { NameOptions } from './slots/names.js';
import { SlotFamily } from './slots/slots.js';
import type { WaitGrowth } from './waits.js';

/** Blocks this long in all earn a pair its own series. */
const earnedNanoseconds = 10_000_000;

/** Takes what a tick added to one row. */
export type OnBlock = (row: ReaderBlockRow, count: number, nanoseconds: number, at: number) => void;

type PairLabels = { readonly file: BlockFile; readonly reader: string; readonly victim: string };

const blockFiles: readonly BlockFile[] = [...procFiles, unknown];

export class BlockLedger {
  /** Every file, from 0. A wait counts once for each reader that blocked it. */
  readonly files = new Map<BlockFile, BlockTotal>(blockFiles.map((file) => [file, nothing()]));
  /** Counts by file and bucket: see durations.ts. */
  readonly durations = new Map<BlockFile, number[]>(blockFiles.map((file) => [file, noDurations()]));
  readonly unblocked = new Map<Mode, BlockTotal>([
    ['read', nothing()],
    ['write', nothing()],
  ]);
  /** Totals: count, nanoseconds. */
  readonly pairs: SlotFamily<PairLabels>;
  readonly list = new BlockList();
  readonly #onBlock: OnBlock;
  readonly #label: NameOptions['label'];
  readonly #growth = new Growth();
  readonly #names: Apportionment;

  /** @param onBlock told of every row, also of one without a slot */
  constructor({ slots, label, rowLimit }: NameOptions, onBlock: OnBlock = () => {}) {
    this.#onBlock = onBlock;
    this.#label = label;
    this.#names = new Apportionment(rowLimit);
    this.pairs = new SlotFamily<PairLabels>({
      slots,
      fold: ({ file }) => ({ file, reader: file === unknown ? unknown : '~other', victim: '~other' }),
      earned: ([, nanoseconds = 0]) => nanoseconds >= earnedNanoseconds,
    });
    // `~other` is there from the start, so that its first amount shows as an increase.
    for (const file of blockFiles) this.#addRest(file, [0, 0], 0);
  }

  /** A new tracer counts from zero. */
  restart(): void {
    this.#growth.reset();
    this.#names.restart();
  }

  /**
   * Takes a tick.
   * @param waits what the same tick added to the waits; undefined while blocks are not observed
   */
  apply(tick: Tick, waits: WaitGrowth | undefined): void {
    if (waits === undefined) return;
    const budgets = new Map<BlockFile, number[]>();
    // The tracer updates blocks first and waits last, and is read the other way round, so blocks can only be ahead:
    // what the waits do not reach is there in the next tick.
    let left = waits.nanoseconds;
    for (const [file, total] of this.files) {
      const row = tick.blocks.find((block) => (block.file ?? unknown) === file);
      const added = this.#take(file, total, row, left);
      left -= added.nanoseconds;
      budgets.set(file, [added.count, added.nanoseconds]);
    }
    for (const [mode, total] of this.unblocked) {
      const row = tick.unblocked.find((waited) => waited.mode === mode);
      left -= this.#take(mode, total, row, left).nanoseconds;
    }
    this.#applyPairs(tick, budgets);
    // What is neither was lost to a full map.
    (this.files.get(unknown) as BlockTotal).nanoseconds += left;
    this.#addRest(unknown, [0, left], tick.at);
    for (const { file = unknown, buckets } of tick.blockDurations)
      addDurations(this.durations.get(file) as number[], this.#growth, file, buckets);
  }

  /** Adds what has grown of a row to its total, nanoseconds no more than `most`; gives what it added. */
  #take(key: BlockFile | Mode, total: BlockTotal, row: BlockTotal | undefined, most: number): BlockTotal {
    if (row === undefined) return nothing();
    const count = this.#growth.takeAll(`count ${key}`, row.count);
    const nanoseconds = this.#growth.takeUpTo(`ns ${key}`, row.nanoseconds, most);
    total.count += count;
    total.nanoseconds += nanoseconds;
    return { count, nanoseconds };
  }

  #applyPairs({ readerBlocks, at }: Tick, budgets: ReadonlyMap<BlockFile, number[]>): void {
    const claims = readerBlocks.map((row) => ({
      row,
      key: blockKey(row),
      rows: row.rows,
      values: [row.count, row.nanoseconds],
      budget: budgets.get(row.file ?? unknown) as number[],
    }));
    this.#names.share(claims, ({ row }, amounts) => {
      const { file = unknown, reader, victim } = row;
      const labels: PairLabels = {
        file,
        reader: reader === undefined ? unknown : this.#label(reader.name, reader.cgroupId),
        victim: this.#label(victim.name, victim.cgroupId),
      };
      this.pairs.add(labels, amounts, at);
      this.list.add(row, amounts, at);
      const [count = 0, nanoseconds = 0] = amounts;
      this.#onBlock(row, count, nanoseconds, at);
    });
    for (const [file, rest] of budgets) this.#addRest(file, rest, at);
  }

  /** Adds blocks of a file of which no pair is known. */
  #addRest(file: BlockFile, amounts: readonly number[], at: number): void {
    this.pairs.addToOther({ file, reader: '', victim: '' }, amounts, at);
  }
}
