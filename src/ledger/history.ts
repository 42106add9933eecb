/**
 * The last minutes in columns of some seconds, for pictures: what each brought, and who blocked whom in it. Bounded:
 * the oldest columns go first, and of who blocked whom each column keeps those that blocked longest.
 *
 * It adds nothing of its own to what the other ledgers count: it is their growth, told by when it came.
 */
import type { Named, ReaderBlockRow } from '../records.js';
import { type Mode, operations, type ProcFile, procFiles, unknown } from '../vocabulary.js';
import type { BlockedTimeLedger } from './blocked-time.js';
import { type BlockFile, type BlockTotal, blockKey } from './lists/block-list.js';
import type { ReaderLedger } from './readers.js';
import { Growth } from './slots/growth.js';
import type { WaitLedger } from './waits.js';

export interface HistoryOptions {
  /** Length of a column. */
  readonly columnSeconds: number;
  readonly columns: number;
}

/** A quarter of an hour: what the page shows of a host at first sight. */
export const pageHistory: HistoryOptions = { columnSeconds: 5, columns: 180 };

/** What is counted of a proc file in a column. */
export interface FileColumn {
  opens: number;
  reads: number;
  retries: number;
  fallbacks: number;
  /** Wall time with a writer behind a reader of it, all processes together. */
  writersBlockedNanoseconds: number;
}

export interface BlockColumn extends BlockTotal {
  /** Undefined where no reader can be shown. */
  readonly reader: Named | undefined;
  readonly victim: Named;
  readonly file: BlockFile;
}

export interface HistoryColumn {
  /** Its begin, by the clock of the daemon: a multiple of its length. */
  readonly at: number;
  /** So many of its seconds were told of by ticks: less than its length where nothing was observed, or it goes on. */
  observedSeconds: number;
  /** By operation, in the order of `operations`, both modes together. */
  readonly waits: number[];
  readonly waitNanoseconds: number[];
  /** Waits that ended, by duration: see durations.ts. */
  readonly durations: Readonly<Record<Mode, number[]>>;
  readonly files: Map<ProcFile, FileColumn>;
  /** By reader, victim and file. */
  readonly blocks: Map<string, BlockColumn>;
  /** What those have that had no room. */
  readonly otherBlocks: BlockTotal;
}

/** Readers by victims that a column keeps. Twice as many are there while it goes on. */
const pairsKept = 100;

const modes = ['read', 'write'] as const;
const fileAmounts = ['opens', 'reads', 'retries', 'fallbacks'] as const;

interface Sources {
  readonly waits: WaitLedger;
  readonly readers: ReaderLedger;
  readonly blockedTime: BlockedTimeLedger;
}

export class HistoryLedger {
  readonly options: HistoryOptions;
  readonly #sources: Sources;
  readonly #growth = new Growth();
  /** Rows of the tick that is taken now. */
  #blocked: { readonly row: ReaderBlockRow; readonly count: number; readonly nanoseconds: number }[] = [];
  #columns: HistoryColumn[] = [];
  #tickAt: number | undefined;

  constructor(sources: Sources, options: HistoryOptions = pageHistory) {
    this.#sources = sources;
    this.options = options;
  }

  /** Oldest first. Where nothing was observed there is none. The last one may go on. */
  get columns(): readonly HistoryColumn[] {
    return this.#columns;
  }

  /** Takes what a tick added to one row, before {@link ticked}. */
  blocked(row: ReaderBlockRow, count: number, nanoseconds: number): void {
    this.#blocked.push({ row, count, nanoseconds });
  }

  /** A tracer began: the time before it was not observed. */
  started(at: number): void {
    this.#tickAt = at;
  }

  /** The ledgers have taken a tick, which tells of the time since the one before. */
  ticked(at: number): void {
    const { columnSeconds } = this.options;
    const seconds = this.#tickAt === undefined ? 0 : Math.max(0, (at - this.#tickAt) / 1000);
    this.#tickAt = at;
    // It belongs where its middle is: a tick at the very edge tells of what was before it.
    const column = this.#columnOf(at - Math.min(seconds, columnSeconds) * 500);
    column.observedSeconds += Math.min(seconds, columnSeconds);
    this.#addWaits(column);
    this.#addFiles(column);
    for (const { row, count, nanoseconds } of this.#blocked) addBlock(column, row, count, nanoseconds);
    this.#blocked = [];
    if (column.blocks.size > 2 * pairsKept) keepLargest(column);
  }

  #columnOf(time: number): HistoryColumn {
    const { columnSeconds, columns } = this.options;
    const at = Math.floor(time / (columnSeconds * 1000)) * columnSeconds * 1000;
    const last = this.#columns.at(-1);
    if (last?.at === at) return last;
    if (last !== undefined) keepLargest(last);
    const column = emptyColumn(at);
    // What seems to come after, should there be any, is not kept: it would never grow old.
    this.#columns = [
      ...this.#columns.filter((one) => one.at < at && one.at > at - columns * columnSeconds * 1000),
      column,
    ];
    return column;
  }

  #addWaits({ waits, waitNanoseconds, durations }: HistoryColumn): void {
    const { totals, durations: totalDurations } = this.#sources.waits;
    for (const [key, { operation, count, nanoseconds }] of totals) {
      const index = operations.indexOf(operation);
      waits[index] = (waits[index] ?? 0) + this.#growth.takeAll(`waits ${key}`, count);
      waitNanoseconds[index] = (waitNanoseconds[index] ?? 0) + this.#growth.takeAll(`ns ${key}`, nanoseconds);
    }
    for (const mode of modes)
      for (const [index, count] of (totalDurations.get(mode) ?? []).entries())
        durations[mode][index] =
          (durations[mode][index] ?? 0) + this.#growth.takeAll(`duration ${mode} ${index}`, count);
  }

  #addFiles({ files }: HistoryColumn): void {
    const { readers, blockedTime } = this.#sources;
    for (const file of procFiles) {
      const column = files.get(file) as FileColumn;
      const total = readers.files.get(file);
      for (const amount of fileAmounts)
        column[amount] += this.#growth.takeAll(`${file} ${amount}`, total?.[amount] ?? 0);
      column.writersBlockedNanoseconds += this.#growth.takeAll(
        `${file} blocked`,
        blockedTime.files.get(file) ?? 0,
      );
    }
  }
}

const emptyColumn = (at: number): HistoryColumn => ({
  at,
  observedSeconds: 0,
  waits: operations.map(() => 0),
  waitNanoseconds: operations.map(() => 0),
  durations: { read: [], write: [] },
  files: new Map(
    procFiles.map((file) => [
      file,
      { opens: 0, reads: 0, retries: 0, fallbacks: 0, writersBlockedNanoseconds: 0 },
    ]),
  ),
  blocks: new Map(),
  otherBlocks: { count: 0, nanoseconds: 0 },
});

const addBlock = (
  { blocks }: HistoryColumn,
  row: ReaderBlockRow,
  count: number,
  nanoseconds: number,
): void => {
  const key = blockKey(row);
  const { reader, victim, file = unknown } = row;
  const block = blocks.get(key) ?? { reader, victim, file, count: 0, nanoseconds: 0 };
  block.count += count;
  block.nanoseconds += nanoseconds;
  blocks.set(key, block);
};

const keepLargest = ({ blocks, otherBlocks }: HistoryColumn): void => {
  const ranked = [...blocks].sort(([, a], [, b]) => b.nanoseconds - a.nanoseconds);
  for (const [key, { count, nanoseconds }] of ranked.slice(pairsKept)) {
    otherBlocks.count += count;
    otherBlocks.nanoseconds += nanoseconds;
    blocks.delete(key);
  }
};
