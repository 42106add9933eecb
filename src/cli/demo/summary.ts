/** What the demonstration says of what was seen: a table while it runs, and sentences at its end. */

import type { DaemonView } from '../../api/view.js';
import type { ProcessEntry } from '../../ledger/lists/processes.js';
import type { WaitTotal } from '../../ledger/waits.js';
import { cell, seconds } from '../../text/figures.js';
import { countText, listText } from '../../text/wording.js';
import type { LockPath, ProcFile } from '../../vocabulary.js';

/** The process whose threads wait for each other, by the name it has. */
const writersName = 'writers';

/** The readers in the order in which they run: the name each is given, and the file of `writers` it reads. */
export const demoReaders: readonly { readonly name: string; readonly file: ProcFile }[] = [
  { name: 'maps-reader', file: 'maps' },
  { name: 'smaps-reader', file: 'smaps' },
];

/** As much of a daemon as is looked at. */
export type Seen = Pick<DaemonView, 'ledger' | 'plan' | 'lockPaths'>;

/** Amounts of one reader, undefined where they are not observed on this host. */
interface ReaderSeen {
  readonly file: ProcFile;
  /** Undefined where it cannot be told. */
  readonly path: LockPath | undefined;
  readonly reads: number | undefined;
  /** Undefined, too, where none can be counted: only retries under VMA locks are (bpf/measures/retries.bt). */
  readonly retries: number | undefined;
  readonly blocks: { readonly count: number; readonly nanoseconds: number } | undefined;
}

const sumOf = <Row>(rows: readonly Row[], amount: (row: Row) => number): number =>
  rows.reduce((sum, row) => sum + amount(row), 0);

const readersSeen = ({ ledger, plan, lockPaths }: Seen): ReaderSeen[] => {
  const { observables } = plan();
  const paths = lockPaths();
  return demoReaders.map(({ name, file }) => {
    const path = paths.find((evidence) => evidence.file === file)?.path;
    const rows = ledger.readers.list.entries().filter((row) => row.name === name && row.file === file);
    const blocks = ledger.blocks.list
      .entries()
      .filter((row) => row.reader?.name === name && row.file === file);
    const retries = sumOf(rows, (row) => row.retries);
    const mayRetry = path === 'per_vma_lock' || retries > 0;
    return {
      file,
      path,
      reads: observables.reads.observed ? sumOf(rows, (row) => row.reads) : undefined,
      retries: observables.retries.observed && mayRetry ? retries : undefined,
      blocks: observables.blocks.observed
        ? {
            count: sumOf(blocks, (row) => row.count),
            nanoseconds: sumOf(blocks, (row) => row.nanoseconds),
          }
        : undefined,
    };
  });
};

/** The waits of `writers`; of several of that name, those of the one that waited last. */
const writersSeen = ({ ledger }: Seen): ProcessEntry | undefined =>
  ledger.waits.list.entries().findLast((entry) => entry.name === writersName && allOf(entry).count > 0);

const allOf = ({ waits: { read, write } }: ProcessEntry): { count: number; nanoseconds: number } => ({
  count: read.count + write.count,
  nanoseconds: read.nanoseconds + write.nanoseconds,
});

const times = (amount: number): string => (amount === 1 ? 'once' : countText(amount, 'time'));

const threadSeconds = (nanoseconds: number): string =>
  `${nanoseconds < 500_000 ? 'less than 0.001' : seconds(nanoseconds)} thread-seconds in all`;

/** Widths of the columns: seconds run, waits, and the four of each reader. */
const widths = { time: 6, waits: [8, 8], reader: [9, 8, 7, 8] } as const;
const inColumns = (cells: readonly string[]): string => {
  const { time, waits, reader } = widths;
  const all = [time, ...waits, ...demoReaders.flatMap(() => reader)];
  return cells.map((cell, index) => cell.padStart(all[index] ?? 0)).join(' ');
};

/** The two lines above those of {@link progressLine}: a `-` stands below them for what is not observed. */
export const progressHeader = (): string => {
  const groupOf = (title: string, columns: readonly number[]): string =>
    title.padStart(sumOf(columns, (width) => width + 1) - 1);
  return [
    [
      ' '.repeat(widths.time),
      groupOf('waits of writers', widths.waits),
      ...demoReaders.map(({ file }) => groupOf(`reader of ${file}`, widths.reader)),
    ].join(' '),
    inColumns([
      '',
      'count',
      'seconds',
      ...demoReaders.flatMap(() => ['reads', 'retries', 'blocks', 'seconds']),
    ]),
  ].join('\n');
};

/** What was seen so far, since the tracer started. */
export const progressLine = (view: Seen, elapsedMilliseconds: number): string => {
  const writers = writersSeen(view);
  const waits = writers === undefined ? { count: 0, nanoseconds: 0 } : allOf(writers);
  return inColumns([
    `${(elapsedMilliseconds / 1000).toFixed(0)} s`,
    cell(waits.count),
    cell(waits.nanoseconds, seconds),
    ...readersSeen(view).flatMap(({ reads, retries, blocks }) => [
      cell(reads),
      cell(retries),
      cell(blocks?.count),
      cell(blocks?.nanoseconds, seconds),
    ]),
  ]);
};

/** What was seen in all: a sentence on the waits, one on the readers, and what is not observed on this host. */
export const summaryOf = (view: Seen): string =>
  [waitsSentence(view), readersSentence(view), whatIsMissing(view)]
    .filter((part) => part !== undefined)
    .join('\n\n');

const waitsSentence = (view: Seen): string => {
  const writers = writersSeen(view);
  if (writers === undefined)
    return 'Nobody had to wait this time: the threads never met. Try again, or with --seconds 60.';
  const { read, write } = writers.waits;
  const all = allOf(writers);
  return (
    `${writersName} (pid ${writers.lastPid ?? 'unknown'}) waited ${times(all.count)} for its own mmap_lock, ` +
    `${threadSeconds(all.nanoseconds)}: ${times(write.count)} to write, ${times(read.count)} to read; ` +
    `most of the time was lost in ${worstOf(view.ledger.waits.totals.values())}.`
  );
};

/** Where most time went of all but readers: what `writers` did, on a host that does nothing else. */
const worstOf = (totals: Iterable<WaitTotal>): string => {
  const { operation, mode } = [...totals]
    .filter((total) => total.operation !== 'proc_read')
    .reduce((a, b) => (b.nanoseconds > a.nanoseconds ? b : a));
  return `${operation} (${mode})`;
};

const readersSentence = (view: Seen): string | undefined => {
  if (!view.plan().observables.reads.observed) return undefined;
  const sentence = readersSeen(view).map(clauseOf).join('; ');
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
};

const servedUnder: Readonly<Record<LockPath, string>> = {
  mmap_lock: 'served under mmap_lock',
  rcu_snapshot: 'served from snapshots under RCU',
  per_vma_lock: 'served under per-VMA locks',
};

const clauseOf = ({ file, path, reads = 0, retries, blocks }: ReaderSeen): string => {
  if (reads === 0) return `no read of ${file} was seen`;
  const did = [`made ${countText(reads, 'read')}`];
  if (retries !== undefined)
    did.push(retries === 0 ? 'never had to retry' : `had to retry ${times(retries)}`);
  if (blocks !== undefined)
    did.push(
      blocks.count === 0
        ? `never blocked ${writersName}`
        : `blocked ${writersName} ${times(blocks.count)}, for ${threadSeconds(blocks.nanoseconds)}`,
    );
  const how = path === undefined ? '' : ` (${servedUnder[path]})`;
  return `the reader of ${file}${how} ${listText(did)}`;
};

const whatIsMissing = (view: Seen): string | undefined => {
  const { observables } = view.plan();
  const missing = (['reads', 'retries', 'blocks'] as const).filter((what) => !observables[what].observed);
  if (missing.length === 0) return undefined;
  return [
    'Not observed on this host:',
    ...missing.map((what) => `  ${what.padEnd(8)} ${observables[what].reason?.detail ?? 'reason unknown'}`),
  ].join('\n');
};

/** What is to be seen of each reader on this kernel, by how it serves the file. */
const expectations: Readonly<Record<LockPath, string>> = {
  mmap_lock: 'holds the lock while it reads: the writers are blocked by it (columns of blocks)',
  per_vma_lock: 'locks one mapping at a time: it blocks hardly anybody, and retries under the writers',
  rcu_snapshot: 'takes the lock for a moment only: it blocks hardly anybody, and retries under the writers',
};

/** Lines that say what to watch for. */
export const watchFor = ({ lockPaths }: Pick<Seen, 'lockPaths'>): string[] => {
  const paths = lockPaths();
  const lines = demoReaders.flatMap(({ name, file }) => {
    const path = paths.find((evidence) => evidence.file === file)?.path;
    return path === undefined || path === null ? [] : [`  ${name} ${expectations[path]}.`];
  });
  return lines.length === 0 ? [] : ['What to watch for on this kernel:', ...lines];
};
