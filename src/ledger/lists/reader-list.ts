/** Reads by reader's name, cgroup and file, for the API. */
import type { Named, ReadCounts, ReaderRow } from '../../records.js';
import type { ProcFile } from '../../vocabulary.js';
import { RecentEntries } from './recent.js';

export type ReadTotal = { -readonly [Amount in keyof ReadCounts]: number };

/** The order of amounts in a list of them. */
export const amountNames = ['opens', 'reads', 'retries', 'fallbacks', 'waits', 'waitNanoseconds'] as const;

/** A list of amounts, all 0. */
export const noAmounts = (): number[] => amountNames.map(() => 0);

export const nothingRead = (): ReadTotal => ({
  opens: 0,
  reads: 0,
  retries: 0,
  fallbacks: 0,
  waits: 0,
  waitNanoseconds: 0,
});

export interface ReaderEntry extends Named, ReadTotal {
  readonly file: ProcFile;
  lastPid: number | undefined;
  lastTargetPid: number | undefined;
  /** When something of it was counted last, by the clock of the daemon. */
  lastSeenAt: number;
}

export const readerKey = ({ file, cgroupId, name }: Pick<ReaderRow, 'file' | 'cgroupId' | 'name'>): string =>
  `${file} ${cgroupId} ${name}`;

export class ReaderList extends RecentEntries<ReaderEntry> {
  /** The process of a name and cgroup that read a file last; undefined where none is known. */
  lastPid({ name, cgroupId }: Named, file: ProcFile): number | undefined {
    return this.entry(readerKey({ name, cgroupId, file }))?.lastPid;
  }

  /** @param amounts in the order of {@link amountNames} */
  add(row: ReaderRow, amounts: readonly number[], at: number): void {
    const { name, cgroupId, file } = row;
    const entry = this.written(readerKey(row), () => ({
      name,
      cgroupId,
      file,
      ...nothingRead(),
      lastPid: undefined,
      lastTargetPid: undefined,
      lastSeenAt: at,
    }));
    for (const [index, amount] of amountNames.entries()) entry[amount] += amounts[index] ?? 0;
    if (row.lastPid !== undefined) {
      entry.lastPid = row.lastPid;
      entry.lastTargetPid = row.lastTargetPid;
    }
    entry.lastSeenAt = at;
  }
}
