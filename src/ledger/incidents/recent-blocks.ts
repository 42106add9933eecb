/**
 * Who blocked whom in the last minute, tick by tick, for stalls that are told without their readers: many short waits.
 *
 * Each nanosecond is given away once. What a long wait told of its readers itself is taken off the ticks, in which it is
 * as well; what a window took is gone for the next window. A tick that reaches over the edge of a window counts whole,
 * for what happened within it is not told apart: the wall time of the window bounds what comes of it.
 *
 * Victims and readers are known by name and cgroup. Of several processes of one name, each finds the readers of all of
 * them, in proportion; how much of that it takes is bounded by its own wall time, and what one took no other takes.
 */
import type { Named, ReaderBlockRow, Stall } from '../../records.js';
import type { ProcFile } from '../../vocabulary.js';
import type { ReaderPart } from './readers.js';
import { RecentGrowth, type TickSpan } from './recent-growth.js';

interface Amounts {
  count: number;
  nanoseconds: number;
}

/** What is left to be given away. */
interface BlockedRow extends Amounts {
  /** Reader, victim and file; the second, where there is one, is that of a reader of which less is known. */
  readonly keys: readonly string[];
  readonly victim: Named;
  readonly reader: Named | undefined;
  readonly file: ProcFile | undefined;
}

/** Many short waits of a victim that together were so long, wall time, in a span of time. */
export interface ShareWindow extends TickSpan {
  readonly victim: Named;
  readonly nanoseconds: number;
}

/** The pid of a reader of a file that was seen last; undefined where none was. */
export type LastPid = (reader: Named, file: ProcFile) => number | undefined;

/** Readers and victims of whom stalls may tell between two ticks. */
const owedLimit = 2000;
/** A name of which only this much is known is that of a reader that was gone: see src/bpftrace/records/stalls.ts. */
const halfName = 8;

export class RecentBlocks {
  readonly #lastPid: LastPid;
  readonly #growth = new RecentGrowth<BlockedRow>();
  /** Told by stalls, by key, and not yet taken off what ticks say: before the last tick, and since. */
  #owedBefore = new Map<string, Amounts>();
  #owed = new Map<string, Amounts>();

  constructor(lastPid: LastPid = () => undefined) {
    this.#lastPid = lastPid;
  }

  /** A new tracer: none of its ticks knows what the last one told. */
  restart(): void {
    this.#growth.clear();
    this.#owedBefore.clear();
    this.#owed.clear();
  }

  /** Takes what a tick added to one row: what the ledger of blocks gave it. */
  add({ reader, victim, file }: ReaderBlockRow, count: number, nanoseconds: number, at: number): void {
    const keys = [keyOf(victim, reader, file)];
    if (reader !== undefined) keys.push(keyOf(victim, goneReader(reader), file));
    const left = { count, nanoseconds };
    for (const owed of [this.#owedBefore, this.#owed]) for (const key of keys) pay(owed.get(key), left);
    if (left.nanoseconds > 0) this.#growth.add({ keys, reader, victim, file, ...left }, at);
  }

  /** A tick is whole. What stalls told comes with the next tick, or, late, the one after: then no more. */
  ticked(at: number): void {
    this.#growth.ticked(at);
    this.#owedBefore = this.#owed;
    this.#owed = new Map();
  }

  /** A stall told its readers itself. It may come before the tick in which they are, or, where lines cross, after it. */
  told({ victim, readers, nanoseconds }: Stall): void {
    if (readers.length === 0) return;
    let left = nanoseconds;
    for (const reader of readers) {
      this.#owe(keyOf(victim, reader, reader.file), 1, reader.nanoseconds);
      left -= reader.nanoseconds;
    }
    if (left > 0) this.#owe(keyOf(victim, undefined, undefined), 0, left);
  }

  /**
   * The readers of a window, as far as its ticks were heard. Their parts are scaled down where they make, with what lies
   * at no reader's door, more than its nanoseconds; so what is unknown stays unknown.
   */
  look(window: ShareWindow): ReaderPart[] {
    return this.#parts(window).flatMap(({ part, reader, file, count }) =>
      reader === undefined || file === undefined || part === 0
        ? []
        : [
            {
              name: reader.name,
              cgroupId: reader.cgroupId,
              pid: this.#lastPid(reader, file),
              file,
              nanoseconds: part,
              waits: count,
              nice: undefined,
              offCpuNanoseconds: undefined,
            },
          ],
    );
  }

  /** As {@link look}, of one window after the other: what one finds the next does not. */
  lookAll(windows: readonly ShareWindow[]): ReaderPart[][] {
    const rows = new Set(windows.flatMap((window) => this.#growth.within(window)));
    const before = Array.from(rows, (row) => ({ row, count: row.count, nanoseconds: row.nanoseconds }));
    const found = windows.map((window) => this.take(window));
    for (const { row, ...amounts } of before) Object.assign(row, amounts);
    return found;
  }

  /** As {@link look}, for good: what is given here is not given again. */
  take(window: ShareWindow): ReaderPart[] {
    const readers = this.look(window);
    for (const { part, rows } of this.#parts(window)) {
      let left = part;
      for (const row of rows) {
        const taken = Math.min(left, row.nanoseconds);
        row.nanoseconds -= taken;
        left -= taken;
        if (part > 0) row.count = 0;
      }
    }
    return readers;
  }

  /** What each pair has in a window, and its part, in whole nanoseconds. */
  #parts({ victim, nanoseconds, from, to }: ShareWindow) {
    const rows = this.#growth.within({ from, to }).filter((row) => isSame(row.victim, victim));
    const all = rows.reduce((sum, row) => sum + row.nanoseconds, 0);
    const scale = all > nanoseconds ? nanoseconds / all : 1;
    const pairs = new Map<string, BlockedRow[]>();
    for (const row of rows) {
      const [key = ''] = row.keys;
      pairs.set(key, [...(pairs.get(key) ?? []), row]);
    }
    return Array.from(pairs.values(), (ofPair) => {
      const { reader, file } = ofPair[0] as BlockedRow;
      const sum = ofPair.reduce((total, row) => total + row.nanoseconds, 0);
      const count = ofPair.reduce((total, row) => total + row.count, 0);
      return { reader, file, count, part: Math.floor(sum * scale), rows: ofPair };
    });
  }

  #owe(key: string, count: number, nanoseconds: number): void {
    const owed = this.#owed.get(key) ?? { count: 0, nanoseconds: 0 };
    owed.count += count;
    owed.nanoseconds += nanoseconds;
    for (const row of this.#growth.last()) if (row.keys.includes(key)) pay(owed, row);
    this.#owed.delete(key);
    this.#owed.set(key, owed);
    if (this.#owed.size > owedLimit) this.#owed.delete(this.#owed.keys().next().value as string);
  }
}

/** Takes what is owed off what is there, as far as it reaches. */
const pay = (owed: Amounts | undefined, there: Amounts): void => {
  if (owed === undefined) return;
  for (const amount of ['count', 'nanoseconds'] as const) {
    const paid = Math.min(owed[amount], there[amount]);
    owed[amount] -= paid;
    there[amount] -= paid;
  }
};

const isSame = (a: Named, b: Named): boolean => a.name === b.name && a.cgroupId === b.cgroupId;

/** How a stall names a reader that was gone when it was looked at. */
const goneReader = ({ name }: Named): Named => ({ name: name.slice(0, halfName), cgroupId: '0' });

/** Names may hold spaces. */
const keyOf = (victim: Named, reader: Named | undefined, file: ProcFile | undefined): string =>
  JSON.stringify([victim.cgroupId, victim.name, reader?.cgroupId, reader?.name, file]);
