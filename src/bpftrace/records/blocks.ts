/** What the maps of bpf/measures/blocks.bt mean. */
import type { BlockDurations, BlockRow, ReaderBlockRow, UnblockedRow } from '../../records.js';
import { fileOf, modeOf, namedKey, rowsOf } from './keys.js';
import { type HistogramRows, joinRows, type MapRows } from './rows.js';
import { WholeNames } from './whole-names.js';

/** The maps by file it prints, each with the number of integers in its key, of which the last is the file, or 0. */
export const blockMaps = {
  '@blocks': 1,
  '@block_ns': 1,
  '@block_us': 1,
  '@reader_blocks': 7,
  '@reader_block_ns': 7,
} as const;

/** The maps by mode it prints, each with the number of integers in its key. */
export const unblockedMaps = { '@unblocked': 1, '@unblocked_ns': 1 } as const;

/** @blocks and @block_ns, keyed (file). */
export const blockRows = (counts: MapRows, nanoseconds: MapRows): BlockRow[] =>
  joinRows([counts, nanoseconds]).map(({ key: [file = 0n], values }) => ({
    file: fileOf(file),
    ...totalOf(values),
  }));

/** @block_us, keyed (file). */
export const blockDurations = (histograms: HistogramRows): BlockDurations[] =>
  histograms.map(({ key: [file = 0n], value }) => ({ file: fileOf(file), buckets: value }));

/**
 * What a key of @reader_blocks means: (name, name, cgroup) of the reader, the same of the victim, and (file). With a file
 * of 0 the reader is 0 as well.
 */
export const blockNames = () =>
  new WholeNames((key) => {
    const file = fileOf(key[6] ?? 0n);
    return {
      file,
      reader: file === undefined ? undefined : namedKey(key),
      victim: namedKey(key.slice(3)),
    };
  });

/** @reader_blocks and @reader_block_ns. Each is limited to its largest on its own. */
export const readerBlockRows = (
  counts: MapRows,
  nanoseconds: MapRows,
  names = blockNames(),
): ReaderBlockRow[] =>
  names
    .join([counts, nanoseconds])
    .map((row) => ({ ...row.meaning, ...totalOf(row.values), ...rowsOf(row) }));

/** @unblocked and @unblocked_ns, keyed (mode). */
export const unblockedRows = (counts: MapRows, nanoseconds: MapRows): UnblockedRow[] =>
  joinRows([counts, nanoseconds]).map(({ key: [flags = 0n], values }) => ({
    mode: modeOf(flags),
    ...totalOf(values),
  }));

const totalOf = ([count = 0, nanoseconds = 0]: readonly number[]) => ({ count, nanoseconds });
