import { readlinkSync } from 'node:fs';
import { opendir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import { isGone } from './process.js';

/**
 * A proc file whose readers look at an address space, as the link of a descriptor names it. What stands before depends
 * on where /proc is mounted in the mount namespace of who opened it. An ordinary file can have such a name too.
 */
const procFile = /\/\d+(?:\/task\/\d+)?\/(?:maps|smaps|smaps_rollup|numa_maps|pagemap|clear_refs|map_files)$/;

/** Links read before other work is let run: some 4 ms. */
const linksAtOnce = 1000;

/** A proxy may have a million descriptors. Of each process so many links are read at most, some 20 ms of CPU... */
const bounds = {
  linksOfEach: 5000,
  /** ... and so many of all, 1 s, ... */
  links: 250_000,
  /** ... but of each at least so many: a reader has few. */
  linksAtLeast: 100,
};

export interface OpenProcFiles {
  /** Processes that have one open. */
  readonly pids: number[];
  /** Processes of which some links were left out, for there were too many: they may have one, too. */
  readonly cutShort: number;
}

/**
 * The processes that have one of these proc files open, by process id: maps, smaps, smaps_rollup, numa_maps, pagemap,
 * clear_refs, map_files, of any process or thread. It opens none of them, but reads the links in /proc/PID/fd, which
 * takes no mmap_lock (proc_pid_readlink(), fs/proc/base.c). It costs 4 us of CPU a
 * descriptor and 0.1 ms a process (6.18).
 *
 * Left out are processes that end meanwhile or may not be looked at, and threads with descriptors of their own
 * (CLONE_FILES not shared). Rejects with the error of the system where processes cannot be listed.
 */
export async function findOpenProcFiles(
  options: { readonly proc?: string } & Partial<typeof bounds> = {},
): Promise<OpenProcFiles> {
  const { proc = '/proc', linksOfEach, links, linksAtLeast } = { ...bounds, ...options };
  const pids: number[] = [];
  let left = links;
  let cutShort = 0;
  for (const pid of await readdir(proc)) {
    if (!/^\d+$/.test(pid)) continue;
    const look = await lookAt(join(proc, pid, 'fd'), Math.max(linksAtLeast, Math.min(linksOfEach, left)));
    left -= look.links;
    if (look.found) pids.push(Number(pid));
    else if (look.more) cutShort += 1;
  }
  return { pids, cutShort };
}

interface Look {
  readonly found: boolean;
  /** How many were read. */
  readonly links: number;
  readonly more: boolean;
}

/** Looks at the links of one process, until one is found or there were so many. */
const lookAt = async (directory: string, most: number): Promise<Look> => {
  let links = 0;
  try {
    // A trip to the thread pool for each buffer, for whatever waits for this thread.
    for await (const { name } of await opendir(directory, { bufferSize: linksAtOnce })) {
      if (links >= most) return { found: false, links, more: true };
      links += 1;
      if (procFile.test(readLink(join(directory, name)))) return { found: true, links, more: false };
    }
    return { found: false, links, more: false };
  } catch (error) {
    return hidden(error, { found: false, links, more: false });
  }
};

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
