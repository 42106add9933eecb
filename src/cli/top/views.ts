/** The tables of `top`: which columns each has, and by what it can be sorted. */
import {
  keyOf,
  type ProcessRow,
  type ReaderRow,
  type RowKind,
  ratesOf,
  type Snapshot,
  type WaitingRow,
} from './snapshot.js';

/** What every table can be sorted by. */
export const sorts = ['rate', 'total', 'count', 'name'] as const;
export type Sort = (typeof sorts)[number];

export const viewNames = ['blocks', 'readers', 'processes', 'waiting'] as const;
export type ViewName = (typeof viewNames)[number];

/** A row, ready to be sorted and shown. */
export interface Line {
  /** Columns of words, then of numbers. */
  readonly words: readonly string[];
  readonly numbers: readonly (number | null | undefined)[];
  readonly by: Readonly<Record<Exclude<Sort, 'name'>, number>>;
}

export interface View {
  readonly title: string;
  readonly words: readonly string[];
  readonly numbers: readonly { readonly title: string; readonly kind: 'seconds' | 'rate' | 'count' }[];
  /** Which column each way of sorting is by, for its head. */
  readonly sorted: Readonly<Record<Sort, string>>;
  readonly lines: (now: Snapshot, before: Snapshot | undefined) => Line[];
}

const where = (unit: string | null, container: string | null): string =>
  container === null ? (unit ?? '') : container.slice(0, 12);

type RowOf<Kind extends RowKind> = Snapshot[Kind][number];

/** What the lines of a table with rates are made of. */
interface Counted<Row> {
  readonly key: (row: Row) => string;
  readonly words: (row: Row) => readonly string[];
  /** What the rate is of, null where it is not observed. */
  readonly amount: (row: Row) => number | null;
  readonly count: (row: Row) => number | null;
  /** What stands behind the rate. */
  readonly numbers: (row: Row) => readonly (number | null)[];
}

const linesOf =
  <Kind extends RowKind>(
    kind: Kind,
    { key, words, amount, count, numbers }: Counted<RowOf<Kind>>,
  ): View['lines'] =>
  (now, before) => {
    const rows = (of: Snapshot | undefined) => (of?.[kind] ?? []) as readonly RowOf<Kind>[];
    const rate = ratesOf(now, before);
    const earlier = new Map(rows(before).map((row) => [key(row), row]));
    return rows(now).map((row) => {
      const perSecond = rate(row, earlier.get(key(row)), amount);
      return {
        words: words(row),
        numbers: [perSecond, ...numbers(row)],
        by: { rate: perSecond ?? 0, total: amount(row) ?? 0, count: count(row) ?? 0 },
      };
    });
  };

/** Where reads are not observed, opens are all there is. */
const reads = (row: ReaderRow): number | null => row.reads_total ?? row.opens_total;
const time = (row: ProcessRow): number => row.waited_seconds_total;
const waits = (row: ProcessRow): number => row.read_waits_total + row.write_waits_total;

export const views: Readonly<Record<ViewName, View>> = {
  blocks: {
    title: 'Who blocks whom',
    words: ['READER', 'FILE', 'VICTIM', 'READER IN'],
    numbers: [
      { title: 'TIME/S', kind: 'rate' },
      { title: 'TIME', kind: 'seconds' },
      { title: 'BLOCKS', kind: 'count' },
    ],
    sorted: { rate: 'TIME/S', total: 'TIME', count: 'BLOCKS', name: 'READER' },
    lines: linesOf('blocks', {
      key: keyOf.blocks,
      words: (row) => [row.reader, row.file, row.victim, where(row.reader_unit, row.reader_container_id)],
      amount: (row) => row.block_seconds_total,
      count: (row) => row.blocks_total,
      numbers: (row) => [row.block_seconds_total, row.blocks_total],
    }),
  },
  readers: {
    title: 'Who reads proc files',
    words: ['READER', 'FILE', 'READER IN'],
    numbers: [
      { title: 'READS/S', kind: 'count' },
      { title: 'READS', kind: 'count' },
      { title: 'RETRIES', kind: 'count' },
      { title: 'OPENS', kind: 'count' },
    ],
    sorted: { rate: 'READS/S', total: 'READS', count: 'RETRIES', name: 'READER' },
    lines: linesOf('readers', {
      key: keyOf.readers,
      words: (row) => [row.reader, row.file, where(row.unit, row.container_id)],
      amount: reads,
      count: (row) => row.retries_total,
      numbers: (row) => [row.reads_total, row.retries_total, row.opens_total],
    }),
  },
  processes: {
    title: 'Who waits',
    words: ['PROCESS', 'IN'],
    numbers: [
      { title: 'TIME/S', kind: 'rate' },
      { title: 'TIME', kind: 'seconds' },
      { title: 'WAITS', kind: 'count' },
    ],
    sorted: { rate: 'TIME/S', total: 'TIME', count: 'WAITS', name: 'PROCESS' },
    lines: linesOf('processes', {
      key: keyOf.processes,
      words: (row) => [row.process, where(row.unit, row.container_id)],
      amount: time,
      count: waits,
      numbers: (row) => [time(row), waits(row)],
    }),
  },
  waiting: {
    title: 'Waiting right now',
    words: ['PROCESS', 'PID', 'TID', 'MODE', 'OPERATION'],
    numbers: [{ title: 'FOR', kind: 'seconds' }],
    sorted: { rate: 'FOR', total: 'FOR', count: 'FOR', name: 'PROCESS' },
    lines: ({ waiting }) =>
      waiting.map(({ process, pid, tid, mode, operation, seconds }: WaitingRow) => ({
        words: [process ?? '(gone)', pid, tid, mode, operation],
        numbers: [seconds],
        by: { rate: seconds, total: seconds, count: seconds },
      })),
  },
};

/** The lines that a filter lets through, sorted, those that are alike by their names. */
export const chosenLines = (
  lines: readonly Line[],
  { filter, sort, reversed }: { readonly filter: string; readonly sort: Sort; readonly reversed: boolean },
): Line[] => {
  const wanted = filter.toLowerCase();
  const name = ({ words }: Line): string => words.join(' ');
  const byName = (a: Line, b: Line): number => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0);
  const sorted = lines
    .filter((line) => wanted === '' || name(line).toLowerCase().includes(wanted))
    .sort((a, b) => (sort === 'name' ? byName(a, b) : b.by[sort] - a.by[sort] || byName(a, b)));
  return reversed ? sorted.reverse() : sorted;
};
