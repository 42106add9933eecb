/** Readers of proc files: the bounded families by file, and the drill-down by reader. */

import type { ReadTotal } from '../ledger/lists/reader-list.js';
import { amountNames } from '../ledger/lists/reader-list.js';
import type { ReaderLedger } from '../ledger/readers.js';
import type { ProbePlan } from '../probes/plan.js';
import type { Observable, ProcFile } from '../vocabulary.js';
import type { Family } from './family.js';
import { type FileCount, isShown } from './proc-files.js';

export interface ReaderSources {
  readonly readers: ReaderLedger;
  readonly plan: () => ProbePlan;
  readonly observed: (what: Observable) => boolean;
}

/** One amount that is counted for each file, and for each reader of it. */
interface Column {
  readonly member: keyof ReadTotal;
  readonly count: FileCount;
  readonly needs: Observable;
  /** Names of the family by file and by reader, without prefix. */
  readonly names: readonly [byFile: string, byReader: string];
  readonly unit: number;
  readonly help: string;
}

const columns: readonly Column[] = [
  {
    member: 'opens',
    count: 'opens',
    needs: 'opens',
    names: ['proc_opens_total', 'reader_opens_total'],
    unit: 1,
    help: 'Opens of files of /proc/PID that show the address space of a process, such as maps and smaps.',
  },
  {
    member: 'reads',
    count: 'reads',
    needs: 'reads',
    names: ['proc_reads_total', 'reader_reads_total'],
    unit: 1,
    help:
      'Reads of files of /proc/PID that show the address space of a process: one read() system call each (for ' +
      'clear_refs one write(), for procmap_query one ioctl(), for map_files one getdents64()), errors and end of file included.',
  },
  {
    member: 'retries',
    count: 'retries',
    needs: 'retries',
    names: ['proc_read_retries_total', 'reader_retries_total'],
    unit: 1,
    help:
      'Times a reader had to take mmap_lock of its target for a moment because the address space changed under it ' +
      '(self-reads are left out: they cannot be told from page faults).',
  },
  {
    member: 'fallbacks',
    count: 'fallbacks',
    needs: 'fallbacks',
    names: ['proc_read_fallbacks_total', 'reader_fallbacks_total'],
    unit: 1,
    help:
      'Times a reader that locks one VMA at a time gave up and held mmap_lock of its target for the rest of that ' +
      'read(), so that it blocks as a reader under mmap_lock does.',
  },
  {
    member: 'waits',
    count: 'waits',
    needs: 'blocks',
    names: ['proc_read_waits_total', 'reader_waits_total'],
    unit: 1,
    help: 'Times a reader had to wait for the mmap_lock of another process. They are among the waits, too.',
  },
  {
    member: 'waitNanoseconds',
    count: 'waits',
    needs: 'blocks',
    names: ['proc_read_wait_seconds_total', 'reader_wait_seconds_total'],
    unit: 1e9,
    help: 'Thread-seconds readers waited for the mmap_lock of another process. Counted when a wait ends.',
  },
];

const byReaderHelp = 'By process name of the reader. ~other: names without a series of their own.';

export const readerFamilies = ({ readers, plan, observed }: ReaderSources): Family[] => {
  const family = (
    { count, needs, unit }: Column,
    name: string,
    help: string,
    amounts: () => Iterable<readonly [labels: { readonly file: ProcFile }, amount: number]>,
  ): Family => ({
    name: `mmaplock_${name}`,
    help,
    type: 'counter',
    samples: () =>
      observed(needs)
        ? [...amounts()]
            .filter(([{ file }, amount]) => isShown(count, file, amount, plan()))
            .map(([labels, amount]) => ({ labels, value: amount / unit }))
        : [],
  });
  return [
    ...columns.map((column) =>
      family(column, column.names[0], column.help, () =>
        Array.from(readers.files, ([file, total]) => [{ file }, total[column.member]]),
      ),
    ),
    ...columns.map((column) =>
      family(column, column.names[1], `${column.help} ${byReaderHelp}`, () => {
        const index = amountNames.indexOf(column.member);
        return readers.readers.series().map(({ labels, totals }) => [labels, totals[index] ?? 0]);
      }),
    ),
  ];
};
