/** What `top` knows at one moment: rows of the API, and how fast they grow. */

import type { Column } from '../../api/column-rows.js';
import type { History } from '../../api/history.js';
import { systemClock } from '../../clock.js';
import type { Source } from './source.js';

export interface ProcessRow {
  readonly process: string;
  readonly cgroup_id: string;
  readonly unit: string | null;
  readonly container_id: string | null;
  readonly read_waits_total: number;
  readonly write_waits_total: number;
  readonly waited_seconds_total: number;
}

export interface ReaderRow {
  readonly file: string;
  readonly reader: string;
  readonly cgroup_id: string;
  readonly unit: string | null;
  readonly container_id: string | null;
  readonly reads_total: number | null;
  readonly opens_total: number | null;
  readonly retries_total: number | null;
}

export interface BlockRow {
  readonly file: string;
  readonly reader: string;
  readonly reader_cgroup_id: string | null;
  readonly reader_unit: string | null;
  readonly reader_container_id: string | null;
  readonly victim: string;
  readonly victim_cgroup_id: string;
  readonly blocks_total: number;
  readonly block_seconds_total: number;
}

export interface WaitingRow {
  readonly process: string | null;
  readonly pid: string;
  readonly tid: string;
  readonly mode: string;
  readonly operation: string;
  readonly seconds: number;
}

export interface Snapshot {
  /** When it was asked for, milliseconds that nobody sets. */
  readonly takenAt: number;
  /** Of the newest tick, milliseconds since the epoch; 0 before the first. */
  readonly at: number;
  readonly sentence: string;
  readonly columns: readonly Column[];
  readonly ready: boolean;
  readonly problems: readonly string[];
  readonly processes: readonly ProcessRow[];
  readonly readers: readonly ReaderRow[];
  readonly blocks: readonly BlockRow[];
  readonly waiting: readonly WaitingRow[];
}

/** As many rows as the API gives at once. */
const rows = 1000;

interface Stamped {
  /** Of the newest tick. */
  readonly as_of: string | null;
}

interface List<Row> extends Stamped {
  readonly data: readonly Row[];
}

/** Times that it asks for all of it; a tick that comes between two answers costs one. */
const attempts = 3;

/**
 * All of it as of one tick, where that can be had in three attempts. A daemon that ticks faster than it answers gives
 * lists of two ticks.
 * @throws MmaplockError daemon_unreachable
 */
export const takeSnapshot = async (source: Source): Promise<Snapshot> => {
  for (let attempt = 1; ; attempt += 1) {
    const { snapshot, isOfOneTick } = await ask(source);
    if (isOfOneTick || attempt === attempts) return snapshot;
  }
};

const ask = async (source: Source): Promise<{ snapshot: Snapshot; isOfOneTick: boolean }> => {
  const list = <Row>(name: string): Promise<List<Row>> => source.get(`/api/v1/${name}?limit=${rows}`);
  const [history, readiness, processes, readers, blocks, waits] = await Promise.all([
    source.get<History>('/api/v1/history'),
    source.get<{ ready: boolean; problems: readonly { message: string; fix: string }[] }>('/-/ready'),
    list<ProcessRow>('processes'),
    list<ReaderRow>('readers'),
    list<BlockRow>('blocks'),
    source.get<Stamped & { ongoing: readonly WaitingRow[] }>('/api/v1/waits'),
  ]);
  const stamped: readonly Stamped[] = [processes, readers, blocks, waits];
  return {
    isOfOneTick: stamped.every(({ as_of }) => as_of === history.as_of),
    snapshot: {
      takenAt: systemClock.monotonic(),
      at: history.as_of === null ? 0 : Date.parse(history.as_of),
      sentence: history.sentence,
      columns: history.columns,
      ready: readiness.ready,
      problems: readiness.problems.map(({ message, fix }) => `${message}. ${fix}`),
      processes: processes.data,
      readers: readers.data,
      blocks: blocks.data,
      waiting: waits.ongoing,
    },
  };
};

export type RowKind = 'processes' | 'readers' | 'blocks';

export const keyOf = {
  processes: ({ process, cgroup_id }: ProcessRow): string => JSON.stringify([process, cgroup_id]),
  readers: ({ file, reader, cgroup_id }: ReaderRow): string => JSON.stringify([file, reader, cgroup_id]),
  blocks: ({ file, reader, reader_cgroup_id, victim, victim_cgroup_id }: BlockRow): string =>
    JSON.stringify([file, reader, reader_cgroup_id, victim, victim_cgroup_id]),
} as const;

/** Ticks are a second apart, and looks at them nearly; a time of day that was set in between is neither. */
const mostApart = 3;

/** From the tick of one to that of another: as the ticks have it, unless the time of day was set. */
const secondsBetween = (before: Snapshot, now: Snapshot): number => {
  const [told, passed] = [(now.at - before.at) / 1000, (now.takenAt - before.takenAt) / 1000];
  return Math.abs(told - passed) > mostApart ? passed : told;
};

/** How much an amount grew a second between two snapshots; undefined where that cannot be told. */
export const ratesOf = (
  now: Snapshot,
  before: Snapshot | undefined,
): (<Row>(row: Row, had: Row | undefined, amount: (row: Row) => number | null) => number | undefined) => {
  const seconds = before === undefined || before.at === 0 ? 0 : secondsBetween(before, now);
  return (row, had, amount) => {
    const has = amount(row);
    if (seconds <= 0 || has === null) return undefined;
    // A daemon that was started again counts from zero.
    return Math.max(0, has - (had === undefined ? 0 : (amount(had) ?? 0))) / seconds;
  };
};
