/**
 * Which proc files a family shows from its first scrape on: those that can occur. A 0 says that it was looked at and
 * nothing was seen, so a file that cannot occur has no series.
 */
import type { BlockFile } from '../ledger/lists/block-list.js';
import type { ProbePlan } from '../probes/plan.js';
import { unknown } from '../vocabulary.js';

/** What is counted by file. */
export type FileCount = 'opens' | 'reads' | 'retries' | 'fallbacks' | 'waits' | 'blocks';

const everything: readonly FileCount[] = ['opens', 'reads', 'retries', 'fallbacks', 'waits', 'blocks'];

const countsOf: Readonly<Record<BlockFile, readonly FileCount[]>> = {
  maps: everything,
  smaps: everything,
  // It holds mmap_lock on every kernel, and lets go of it now and then: nothing to fall back to.
  smaps_rollup: ['opens', 'reads', 'retries', 'waits', 'blocks'],
  numa_maps: everything,
  // It takes the lock anew for each stretch it walks, on every kernel: none of that is a retry.
  pagemap: ['opens', 'reads', 'waits', 'blocks'],
  // It is written, not read: each write() counts as one read.
  clear_refs: ['opens', 'reads', 'waits', 'blocks'],
  // An ioctl on an open maps file: it has no open of its own. It asks for one VMA and lets go of the lock at once.
  procmap_query: ['reads', 'retries', 'waits', 'blocks'],
  // Told only by its waiting for the lock of another process: its opens, reads and holds are not traced.
  remote: ['waits'],
  // A directory: each getdents64() counts as one read.
  map_files: ['opens', 'reads', 'waits', 'blocks'],
  [unknown]: ['blocks'],
};

/**
 * Calls of PROCMAP_QUERY (Linux 6.11, fs/proc/task_mmu.c) are seen by probes here alone; but where reads are told by the
 * end of an ioctl(), that is one on pagemap (6.7).
 */
const queryTargets = ['syscalls:sys_exit_ioctl', 'procfs_procmap_ioctl'];

/** Writes to clear_refs are seen by a probe on its function alone: the tracepoints of read() do not fire for them. */
const clearTarget = 'clear_refs_write';

/** Listings of map_files are seen by probes here alone. */
const listTargets = ['syscalls:sys_exit_getdents64', 'proc_map_files_readdir'];

/** Where opens are told by the open functions of the files: these have none, so their opens are not seen there. */
const openTarget = 'pid_maps_open';

/** Whether a family has a sample for a file. What was counted is always shown, whether foreseen or not. */
export const isShown = (count: FileCount, file: BlockFile, value: number, plan: ProbePlan): boolean =>
  value > 0 || (countsOf[file].includes(count) && isLookedFor(count, file, plan));

/** Whether the fragments that run look for this count of this file. */
const isLookedFor = (count: FileCount, file: BlockFile, { chosen }: ProbePlan): boolean => {
  const isProbed = (...targets: readonly string[]): boolean =>
    chosen.some(({ fragment }) => fragment.probes.some(({ target }) => targets.includes(target)));
  if (file === 'procmap_query')
    return chosen.some(
      ({ fragment }) =>
        fragment.tells !== 'reads' && fragment.probes.some(({ target }) => queryTargets.includes(target)),
    );
  if (file === 'clear_refs' && count === 'reads') return isProbed(clearTarget);
  if (file === 'map_files' && count === 'reads') return isProbed(...listTargets);
  if ((file === 'clear_refs' || file === 'map_files') && count === 'opens') return !isProbed(openTarget);
  return true;
};
