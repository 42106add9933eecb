/** Columns of the history as the API, the stream and a recorded page have them. */
import { Type } from 'typebox';
import { isoTime } from '../clock.js';
import { durationBuckets } from '../ledger/durations.js';
import type { BlockColumn, HistoryColumn } from '../ledger/history.js';
import { operations, procFiles, unknown } from '../vocabulary.js';
import { countOrNull, nullable, secondsOrNull } from './rows.js';
import type { DaemonView } from './view.js';

/** What columns are told by. */
export type ColumnView = Pick<DaemonView, 'ledger' | 'plan' | 'cgroup' | 'timeOfDay'>;

const counts = (description: string) => Type.Array(Type.Integer(), { description });
const file = Type.Enum([...procFiles]);

const fileRow = Type.Object({
  file,
  opens: countOrNull('Opens.'),
  reads: countOrNull('Calls of read().'),
  retries: countOrNull('Retries.'),
  fallbacks: countOrNull('Fallbacks to mmap_lock.'),
  writers_blocked_seconds: secondsOrNull(
    'Wall time with a writer behind a reader of it; that of several processes adds up.',
  ),
});

const blockRow = Type.Object({
  file: Type.Enum([...procFiles, unknown]),
  reader: Type.String({ description: '~unknown where no reader can be shown.' }),
  reader_unit: nullable('systemd unit or container of the reader.'),
  victim: Type.String(),
  victim_unit: nullable('systemd unit or container of the victim.'),
  blocks: Type.Integer(),
  block_seconds: Type.Number({ description: 'Thread-seconds.' }),
});

export const columnRow = Type.Object({
  at: Type.String({ format: 'date-time', description: 'Its begin.' }),
  observed_seconds: Type.Number({ description: 'So many of its seconds were observed.' }),
  waits: counts('Waits that ended, in the order of `operations`.'),
  wait_seconds: Type.Array(Type.Number(), { description: 'Thread-seconds, in the order of `operations`.' }),
  durations: Type.Object({
    read: counts('Waits to read by duration, in the order of `duration_bounds_seconds`, and those over all.'),
    write: counts('Waits to write.'),
  }),
  files: Type.Array(fileRow, { description: 'Those of which something was counted.' }),
  blocks: Type.Array(blockRow, { description: 'The longest, at most 100.' }),
  other_block_seconds: Type.Number({ description: 'Thread-seconds of blocks that are not among them.' }),
});

/** What a column's lists are in the order of. */
export const columnOrder = {
  operations: [...operations],
  duration_bounds_seconds: Array.from(
    { length: durationBuckets.lastExponent - durationBuckets.firstExponent + 1 },
    (_, index) => 2 ** (durationBuckets.firstExponent + index) / 1e6,
  ),
};

export type Column = ReturnType<typeof columnOf>;

export const columnOf = (view: ColumnView, column: HistoryColumn) => {
  const { observables } = view.plan();
  const ifObserved = (what: keyof typeof observables, amount: number): number | null =>
    observables[what].observed ? amount : null;
  return {
    at: isoTime(view, column.at),
    observed_seconds: column.observedSeconds,
    waits: column.waits,
    wait_seconds: column.waitNanoseconds.map((nanoseconds) => nanoseconds / 1e9),
    durations: column.durations,
    files: Array.from(column.files, ([name, counted]) => ({
      file: name,
      opens: ifObserved('opens', counted.opens),
      reads: ifObserved('reads', counted.reads),
      retries: ifObserved('retries', counted.retries),
      fallbacks: ifObserved('fallbacks', counted.fallbacks),
      writers_blocked_seconds: ifObserved('blocked_time', counted.writersBlockedNanoseconds / 1e9),
    })).filter((row) => Object.values(row).some((amount) => typeof amount === 'number' && amount > 0)),
    blocks: [...column.blocks.values()]
      .toSorted((a, b) => b.nanoseconds - a.nanoseconds)
      .slice(0, mostBlocks)
      .map((block) => blockOf(view, block)),
    other_block_seconds: otherNanoseconds(column) / 1e9,
  };
};

const mostBlocks = 100;

const otherNanoseconds = ({ blocks, otherBlocks }: HistoryColumn): number =>
  [...blocks.values()]
    .toSorted((a, b) => b.nanoseconds - a.nanoseconds)
    .slice(mostBlocks)
    .reduce((sum, { nanoseconds }) => sum + nanoseconds, otherBlocks.nanoseconds);

const blockOf = (view: ColumnView, { file: of, reader, victim, count, nanoseconds }: BlockColumn) => ({
  file: of,
  reader: reader?.name ?? unknown,
  reader_unit: reader === undefined ? null : placeOf(view, reader),
  victim: victim.name,
  victim_unit: placeOf(view, victim),
  blocks: count,
  block_seconds: nanoseconds / 1e9,
});

/** The container where there is one, for its unit is only its scope. */
const placeOf = (view: ColumnView, process: { name: string; cgroupId: string }): string | null => {
  const { containerId, unit } = view.cgroup(process.cgroupId, process) ?? {};
  return containerId ?? unit ?? null;
};
