/** What the maps of bpf/blocks.bt mean. */
import type { BlockDurations, BlockRow, ReaderBlockRow, UnblockedRow } from '../records.js';
import { type HistogramRows, joinRows, type MapRows } from './rows.js';
import { fileOf, modeOf, namedOf } from './wire-keys.js';

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
 * @reader_blocks and @reader_block_ns, keyed (name, name, cgroup) of the reader, the same of the victim, and (file).
 * With a file of 0 the reader is 0 as well. Each is limited to its largest on its own.
 */
export const readerBlockRows = (counts: MapRows, nanoseconds: MapRows): ReaderBlockRow[] =>
  joinRows([counts, nanoseconds]).map(({ key, values }) => {
    const [r0 = 0n, r1 = 0n, readerCgroup = 0n, v0 = 0n, v1 = 0n, victimCgroup = 0n, file = 0n] = key;
    return {
      file: fileOf(file),
      reader: file === 0n ? undefined : namedOf(r0, r1, readerCgroup),
      victim: namedOf(v0, v1, victimCgroup),
      ...totalOf(values),
    };
  });

/** @unblocked and @unblocked_ns, keyed (mode). */
export const unblockedRows = (counts: MapRows, nanoseconds: MapRows): UnblockedRow[] =>
  joinRows([counts, nanoseconds]).map(({ key: [flags = 0n], values }) => ({
    mode: modeOf(flags),
    ...totalOf(values),
  }));

const totalOf = ([count = 0, nanoseconds = 0]: readonly number[]) => ({ count, nanoseconds });
