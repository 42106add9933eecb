/** Blocks: waits behind readers of proc files, by file and by who made whom wait; and the waits behind none. */
import type { BlockedTimeLedger } from '../ledger/blocked-time.js';
import type { BlockLedger } from '../ledger/blocks.js';
import type { BlockFile, BlockTotal } from '../ledger/lists/block-list.js';
import type { ReaderLedger } from '../ledger/readers.js';
import type { ProbePlan } from '../probes/plan.js';
import { type Observable, unknown } from '../vocabulary.js';
import { type Family, histogramSamples } from './family.js';
import { isShown } from './proc-files.js';
import { durationBounds } from './waits.js';

export interface BlockSources {
  readonly blocks: BlockLedger;
  readonly blockedTime: BlockedTimeLedger;
  readonly readers: ReaderLedger;
  readonly plan: () => ProbePlan;
  readonly observed: (what: Observable) => boolean;
}

const estimate =
  "An estimate: a reader's window runs from its grant of the lock to the end of its read(), and a wait is split among " +
  'readers by overlap.';
const unknownReader = '~unknown: no reader can be shown.';
const names = `${unknownReader} ~other: names without a series of their own.`;

export const blockFamilies = ({ blocks, blockedTime, readers, plan, observed }: BlockSources): Family[] => {
  const counter = (name: string, help: string, samples: Family['samples']): Family => ({
    name: `mmaplock_${name}`,
    help,
    type: 'counter',
    samples: () => (observed('blocks') ? samples() : []),
  });
  const files = () =>
    [...blocks.files].filter(([file, { count, nanoseconds }]) =>
      isShown('blocks', file, Math.max(count, nanoseconds), plan()),
    );
  /** A histogram is 27 series: one of a file that nobody has touched yet would be most of what a plain host has. */
  const hasDurations = ([file, { count }]: readonly [BlockFile, BlockTotal]): boolean =>
    file === unknown ||
    count > 0 ||
    Object.values(readers.files.get(file) ?? {}).some((amount) => amount > 0);
  const byFile =
    (value: 'count' | 'nanoseconds', unit: number): Family['samples'] =>
    () =>
      files().map(([file, total]) => ({ labels: { file }, value: total[value] / unit }));
  const byMode =
    (value: 'count' | 'nanoseconds', unit: number): Family['samples'] =>
    () =>
      Array.from(blocks.unblocked, ([mode, total]) => ({ labels: { mode }, value: total[value] / unit }));
  const byPair =
    (index: number, unit: number): Family['samples'] =>
    () =>
      blocks.pairs
        .series()
        .filter(({ labels: { file }, totals }) => isShown('blocks', file, Math.max(...totals), plan()))
        .map(({ labels, totals }) => ({ labels, value: (totals[index] ?? 0) / unit }));

  return [
    counter(
      'blocks_total',
      'Waits for an mmap_lock that a reader of a file of /proc/PID held or was reading under, by file; one wait ' +
        `counts once for each reader. ${unknownReader}`,
      byFile('count', 1),
    ),
    counter(
      'block_seconds_total',
      `Thread-seconds that waits spent behind a reader, by file. ${estimate} ${unknownReader}`,
      byFile('nanoseconds', 1e9),
    ),
    {
      name: 'mmaplock_block_duration_seconds',
      help: 'How long waits spent behind one reader, by file; a file is here once somebody opened or read it.',
      type: 'histogram',
      samples: () =>
        observed('blocks')
          ? files()
              .filter(hasDurations)
              .flatMap(([file, { nanoseconds }]) =>
                histogramSamples(
                  { file },
                  durationBounds,
                  blocks.durations.get(file) ?? [],
                  nanoseconds / 1e9,
                ),
              )
          : [],
    },
    {
      name: 'mmaplock_writers_blocked_time_seconds_total',
      help:
        'Wall time in which at least one writer of a process stood behind a reader, by file: however many of its ' +
        `threads wait, a second counts once. Processes that wait at the same time count each. ${estimate}`,
      type: 'counter',
      samples: () =>
        observed('blocked_time')
          ? [...blockedTime.files]
              .filter(([file, nanoseconds]) => isShown('blocks', file, nanoseconds, plan()))
              .map(([file, nanoseconds]) => ({ labels: { file }, value: nanoseconds / 1e9 }))
          : [],
    },
    counter(
      'reader_blocks_total',
      `Blocks by reader and victim, the process that waited; one wait counts once for each reader. ${names}`,
      byPair(0, 1),
    ),
    counter(
      'reader_block_seconds_total',
      `Thread-seconds that a victim waited behind a reader. ${estimate} ${names}`,
      byPair(1, 1e9),
    ),
    counter(
      'unblocked_waits_total',
      'Waits for an mmap_lock during which no reader of a file of /proc/PID was seen to hold it.',
      byMode('count', 1),
    ),
    counter(
      'unblocked_wait_seconds_total',
      'Thread-seconds of waits behind no reader of a file of /proc/PID: with mmaplock_block_seconds_total these are ' +
        'all waits since blocks are observed.',
      byMode('nanoseconds', 1e9),
    ),
  ];
};
