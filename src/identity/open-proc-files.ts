import { readlinkSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import { isGone } from './process.js';

/**
 * A proc file whose readers look at an address space, as the link of a descriptor names it. What stands before depends
 * on where /proc is mounted in the mount namespace of who opened it. An ordinary file can have such a name too.
 */
const procFile = /\/\d+(?:\/task\/\d+)?\/(?:maps|smaps|smaps_rollup|numa_maps|pagemap|clear_refs)$/;

/** Links read before other work is let run: some 4 ms. */
const linksAtOnce = 1000;

/**
 * The processes that have one of these proc files open, by process id: maps, smaps, smaps_rollup, numa_maps, pagemap,
 * clear_refs, of any process or thread. It opens none of them, but reads the links in /proc/PID/fd, which takes no
 * mmap_lock (proc_pid_readlink(), fs/proc/base.c). It costs 4 us of CPU a
 * descriptor and 0.1 ms a process (6.18).
 *
 * Left out are processes that end meanwhile or may not be looked at, and threads with descriptors of their own
 * (CLONE_FILES not shared). Rejects with the error of the system where processes cannot be listed.
 */
export async function findOpenProcFiles(options: { readonly proc?: string } = {}): Promise<number[]> {
  const { proc = '/proc' } = options;
  const found: number[] = [];
  for (const pid of await readdir(proc)) {
    if (!/^\d+$/.test(pid)) continue;
    const directory = join(proc, pid, 'fd');
    const descriptors = await readdir(directory).catch((error: unknown) => hidden(error, []));
    for (const [index, descriptor] of descriptors.entries()) {
      // A trip to the thread pool, for whatever waits for this thread.
      if (index % linksAtOnce === linksAtOnce - 1) await stat(proc);
      if (!procFile.test(readLink(join(directory, descriptor)))) continue;
      found.push(Number(pid));
      break;
    }
  }
  return found;
}

const readLink = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch (error) {
    return hidden(error, '');
  }
};

/** What stands for a process that is gone, or that may not be looked at. */
const hidden = <T>(error: unknown, instead: T): T => {
  if (isGone(error) || ['EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) return instead;
  throw error;
};
