/**
 * Which proc files a family shows from its first scrape on: those that can occur. A 0 says that it was looked at and
 * nothing was seen, so a file that cannot occur has no series.
 */
import type { BlockFile } from '../ledger/blocks.js';
import type { ProbePlan } from '../probes/plan.js';
import { unknown } from '../vocabulary.js';

/** What is counted by file. */
export type FileCount = 'opens' | 'reads' | 'retries' | 'waits' | 'blocks';

const everything: readonly FileCount[] = ['opens', 'reads', 'retries', 'waits', 'blocks'];

const countsOf: Readonly<Record<BlockFile, readonly FileCount[]>> = {
  maps: everything,
  smaps: everything,
  smaps_rollup: everything,
  numa_maps: everything,
  // It takes the lock anew for each stretch it walks, on every kernel: none of that is a retry.
  pagemap: ['opens', 'reads', 'waits', 'blocks'],
  // It is written, not read.
  clear_refs: ['opens', 'waits', 'blocks'],
  // An ioctl on an open maps file: it has no open of its own.
  procmap_query: ['reads', 'retries', 'waits', 'blocks'],
  // Told only by its waiting for the lock of another process: its opens, reads and holds are not traced.
  remote: ['waits'],
  [unknown]: ['blocks'],
};

/** Calls of PROCMAP_QUERY (Linux 6.11, fs/proc/task_mmu.c) are seen by this fragment alone. */
const queryFragment = 'procmap-query';

/** Whether a family has a sample for a file. What was counted is always shown, whether foreseen or not. */
export const isShown = (count: FileCount, file: BlockFile, value: number, { chosen }: ProbePlan): boolean => {
  if (value > 0) return true;
  if (file === 'procmap_query' && !chosen.some(({ fragment }) => fragment.name === queryFragment))
    return false;
  return countsOf[file].includes(count);
};
