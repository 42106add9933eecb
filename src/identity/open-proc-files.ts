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
 * takes no mmap_lock (proc_pid_readlink(), fs/proc/base.c). It costs 4 us of CPU a descriptor and 0.1 ms a process (6.18).
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
    const most = Math.max(linksAtLeast, Math.min(linksOfEach, left));
    const look = await lookIn(join(proc, pid, 'fd'), most);
    left -= look.links;
    if (look.found) pids.push(Number(pid));
    else if (look.more) cutShort += 1;
  }
  return { pids, cutShort };
}

/**
 * Whether a process has such a file open, by the links of all its threads, for one may have descriptors of its own.
 * @param most links to look at; undefined where that is not enough to tell, or it may not be looked at
 * @returns also how many it did look at
 */
export async function hasOpenProcFile(
  pid: number,
  most: number,
  { proc = '/proc' }: { readonly proc?: string } = {},
): Promise<{ readonly open: boolean | undefined; readonly links: number }> {
  const tasks = join(proc, String(pid), 'task');
  let links = 0;
  let hiddenOnes = false;
  const threads = await readdir(tasks).catch((error: unknown) => {
    hiddenOnes = isHidden(error);
    return [];
  });
  for (const thread of threads) {
    const look = await lookIn(join(tasks, thread, 'fd'), most - links);
    links += look.links;
    hiddenOnes ||= look.hidden;
    if (look.found) return { open: true, links };
    if (look.more) return { open: undefined, links };
  }
  return { open: hiddenOnes ? undefined : false, links };
}

interface Look {
  readonly found: boolean;
  /** How many links were read. */
  readonly links: number;
  /** There are more than were to be read. */
  readonly more: boolean;
  /** Some may not be read by this process. */
  readonly hidden: boolean;
}

/** Looks at the links of a directory of descriptors, until one leads to such a file, or there were so many. */
const lookIn = async (directory: string, most: number): Promise<Look> => {
  const look = { found: false, links: 0, more: false, hidden: false };
  try {
    // A trip to the thread pool for each buffer, for whatever waits for this thread.
    for await (const { name } of await opendir(directory, { bufferSize: linksAtOnce })) {
      if (look.links >= most) return { ...look, more: true };
      look.links += 1;
      try {
        if (procFile.test(readlinkSync(join(directory, name)))) return { ...look, found: true };
      } catch (error) {
        look.hidden ||= isHidden(error);
      }
    }
  } catch (error) {
    look.hidden ||= isHidden(error);
  }
  return look;
};

/** Whether what could not be read may not be looked at; false where it is gone. Any other error is thrown again. */
const isHidden = (error: unknown): boolean => {
  if (isGone(error)) return false;
  if (['EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) return true;
  throw error;
};
