/**
 * Reads proc files of this process, for what its kernel does meanwhile: bpf/lock-path.bt looks on. Its own files only,
 * for a reader of those of another process may block it.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** Enough to tell a rule from an exception. */
const mostReads = 64;
/** At least these, and then only as long as it takes little time: smaps_rollup walks every page of this process. */
const fewestReads = 8;
const mostMilliseconds = 8;

/** What a read() of a seq_file shows at most (fs/seq_file.c: it begins with a page). */
const bytes = 4096;

/**
 * How many reads of each file returned data, all from its start and by this thread; a file that cannot be read is left
 * out. It takes up to 8 ms a file, or 8 reads.
 * @param now milliseconds of a clock that nobody sets
 */
export const readOwnFiles = (files: readonly string[], now: () => number): Map<string, number> => {
  // Written to, so that no read() faults on it: a page fault can take mmap_lock, too.
  const buffer = Buffer.allocUnsafeSlow(bytes).fill(1);
  const reads = new Map<string, number>();
  for (const file of files) {
    try {
      reads.set(file, readOwnFile(file, buffer, now));
    } catch {
      // Not there, or not to be read: numa_maps without CONFIG_NUMA, all of them where /proc is not mounted.
    }
  }
  return reads;
};

const readOwnFile = (file: string, buffer: Buffer, now: () => number): number => {
  const descriptor = openSync(`/proc/self/${file}`, 'r');
  try {
    const end = now() + mostMilliseconds;
    let reads = 0;
    while (reads < fewestReads || (reads < mostReads && now() < end)) {
      if (readSync(descriptor, buffer, 0, bytes, 0) === 0) break;
      reads += 1;
    }
    return reads;
  } finally {
    closeSync(descriptor);
  }
};
