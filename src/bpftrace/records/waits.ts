/** What the maps of bpf/measures/waits.bt mean: integers of one tick to rows of records. */
import { context, operationOf } from '../../probes/operations.js';
import type { OngoingWait, ProcessWaitRow, WaitDurations, WaitRow } from '../../records.js';
import type { Mode } from '../../vocabulary.js';
import { modeOf, namedKey, rowsOf } from './keys.js';
import type { HistogramRows, MapRows, TupleRows } from './rows.js';
import { WholeNames } from './whole-names.js';

/** The maps it prints, each with the number of integers in its key. */
export const waitMaps = {
  '@waits': 3,
  '@wait_ns': 3,
  '@wait_us': 1,
  '@process_waits': 4,
  '@process_wait_ns': 4,
  '@process_pid': 3,
} as const;

/** What bpf/sources/contention-kprobe.bt prints: ends of waits that it missed. */
export const endsMissedMaps = { '@ends_missed': 1 } as const;

/** The maps of tuples it prints: integers in the key, and in the value. */
export const waitTuples = { '@waiting': [1, 3] } as const;

/** @waits and @wait_ns, keyed (mode, context, syscall), added up by operation. */
export const waitRows = (counts: MapRows, nanoseconds: MapRows): WaitRow[] => {
  const rows = new Map<
    string,
    { mode: Mode; operation: WaitRow['operation']; count: number; nanoseconds: number }
  >();
  const add = (source: MapRows, value: 'count' | 'nanoseconds'): void => {
    for (const { key, value: amount } of source) {
      const [flags = 0n, bits = 0n, syscall = 0n] = key;
      const mode = modeOf(flags);
      const operation = operationOf(mode, Number(bits), Number(BigInt.asIntN(64, syscall)));
      const row = rows.get(`${mode} ${operation}`) ?? { mode, operation, count: 0, nanoseconds: 0 };
      row[value] += Number(amount);
      rows.set(`${mode} ${operation}`, row);
    }
  };
  add(counts, 'count');
  add(nanoseconds, 'nanoseconds');
  return [...rows.values()];
};

/** What a key of @process_waits means: (name, name, cgroup, mode). */
export const processNames = () => new WholeNames((key) => ({ ...namedKey(key), mode: modeOf(key[3] ?? 0n) }));

/** @process_waits and @process_wait_ns, with @process_pid. */
export const processRows = (
  counts: MapRows,
  nanoseconds: MapRows,
  pids: MapRows,
  names = processNames(),
): ProcessWaitRow[] => {
  const pidOf = new Map(pids.map(({ key, value }) => [key.join(), Number(value)]));
  return names.join([counts, nanoseconds]).map((row) => {
    const [count = 0, waited = 0] = row.values;
    const lastPid = pidOf.get(row.newest.slice(0, 3).join());
    return { ...row.meaning, count, nanoseconds: waited, lastPid, ...rowsOf(row) };
  });
};

/** @wait_us, keyed (mode). */
export const waitDurations = (histograms: HistogramRows): WaitDurations[] =>
  histograms.map(({ key, value }) => ({ mode: modeOf(key[0] ?? 0n), buckets: value }));

/**
 * @waiting, keyed (slot), as of a kernel time in nanoseconds: (start, pid << 32 | tid, how), 0 in a free slot. Oldest
 * first.
 */
export const ongoingWaits = (waiting: TupleRows, now: bigint): OngoingWait[] =>
  allOngoing(waiting, now).sort((a, b) => b.seconds - a.seconds);

const allOngoing = (waiting: TupleRows, now: bigint): OngoingWait[] =>
  waiting.flatMap(({ value: [start = 0n, who = 0n, how = 0n] }) => {
    if (start === 0n) return [];
    const mode = modeOf(how & 7n);
    const syscall = Number(how >> 11n) - 1;
    const bits = Number((how >> 3n) & 255n);
    return {
      mode,
      operation: operationOf(mode, bits, syscall),
      foreign: (bits & context.foreign) !== 0,
      pid: Number(who >> 32n),
      tid: Number(who & 0xffff_ffffn),
      seconds: Math.max(0, Number(now - start) / 1e9),
    };
  });
