/** What the maps of readers mean: of whatever fragments of bpf/ count opens, reads, retries, fallbacks and waits. */
import type { ProcFileRow, ReadCounts, ReaderRow } from '../../records.js';
import type { ProcFile } from '../../vocabulary.js';
import { fileOf, namedKey, rowsOf } from './keys.js';
import { joinRows, type MapRows } from './rows.js';
import { WholeNames } from './whole-names.js';

/** The maps they print, each with the number of integers in its key, of which the last is the file. */
export const readerMaps = {
  '@proc_opens': 1,
  '@proc_reads': 1,
  '@proc_retries': 1,
  '@proc_fallbacks': 1,
  '@proc_read_waits': 1,
  '@proc_read_wait_ns': 1,
  '@reader_opens': 4,
  '@reader_reads': 4,
  '@reader_retries': 4,
  '@reader_fallbacks': 4,
  '@reader_waits': 4,
  '@reader_wait_ns': 4,
  '@reader_last': 4,
} as const;

type Rows = (map: keyof typeof readerMaps) => MapRows;

/** The maps keyed (file). */
export const procFileRows = (rows: Rows): ProcFileRow[] =>
  joinRows([
    rows('@proc_opens'),
    rows('@proc_reads'),
    rows('@proc_retries'),
    rows('@proc_fallbacks'),
    rows('@proc_read_waits'),
    rows('@proc_read_wait_ns'),
  ]).map(({ key: [file = 0n], values }) => ({ file: fileOf(file) as ProcFile, ...countsOf(values) }));

/** What a key of the maps by reader means: (name, name, cgroup, file). */
export const readerNames = () =>
  new WholeNames((key) => ({ ...namedKey(key), file: fileOf(key[3] ?? 0n) as ProcFile }));

/** The maps by reader, with @reader_last. Each is limited to its largest on its own. */
export const readerRows = (rows: Rows, names = readerNames()): ReaderRow[] => {
  const lastOf = new Map(rows('@reader_last').map(({ key, value }) => [key.join(), BigInt(value)]));
  const whole = names.join([
    rows('@reader_opens'),
    rows('@reader_reads'),
    rows('@reader_retries'),
    rows('@reader_fallbacks'),
    rows('@reader_waits'),
    rows('@reader_wait_ns'),
  ]);
  return whole.map((row) => {
    const last = lastOf.get(row.newest.join()) ?? 0n;
    return {
      ...row.meaning,
      ...countsOf(row.values),
      lastPid: pidOf(last >> 32n),
      lastTargetPid: pidOf(last & 0xffff_ffffn),
      ...rowsOf(row),
    };
  });
};

const countsOf = (values: readonly number[]): ReadCounts => {
  const [opens = 0, reads = 0, retries = 0, fallbacks = 0, waits = 0, waitNanoseconds = 0] = values;
  return { opens, reads, retries, fallbacks, waits, waitNanoseconds };
};

/** 0 is no process. */
const pidOf = (pid: bigint): number | undefined => (pid === 0n ? undefined : Number(pid));
