/** The loops of test/workload/bench-loops.c, and how they are run. */
import { join } from 'node:path';
import { execa } from 'execa';
import { track } from '../live/support/children.js';

/** In the order of the table. `title` is what one operation is. */
export const loops = [
  { name: 'getppid', title: 'getppid' },
  { name: 'read', title: 'read of 1 byte from /dev/zero' },
  { name: 'read_marked', title: 'the same in a process that once opened its maps' },
  { name: 'mmap', title: 'mmap and munmap of a page' },
  { name: 'fault', title: 'page fault' },
  { name: 'stat', title: 'read of /proc/PID/stat, open already' },
  { name: 'fork_exec', title: 'vfork, exec of a tiny program, wait' },
  { name: 'contended', title: 'two threads contending over mmap and munmap' },
  { name: 'contended_touch', title: 'the same, touching four pages between the two' },
  { name: 'maps', title: 'open, read and close of maps with 2,000 VMAs' },
] as const;

export type LoopName = (typeof loops)[number]['name'];

export const loopNames: readonly LoopName[] = loops.map(({ name }) => name);

export const isLoopName = (name: string): name is LoopName => (loopNames as readonly string[]).includes(name);

/** Nanoseconds of one operation of each loop: the median of its batches. */
export type Reading = ReadonlyMap<LoopName, number>;

export interface LoopOptions {
  /** The directory of the built programs. */
  readonly directory: string;
  readonly names: readonly LoopName[];
  /** For each loop. */
  readonly milliseconds: number;
  /** At least so many batches of operations for each loop. */
  readonly batches: number;
}

/**
 * Runs the loops one after another.
 * @throws Error with what the program said where it failed
 */
export const runLoops = async ({
  directory,
  names,
  milliseconds,
  batches,
}: LoopOptions): Promise<Reading> => {
  const child = execa(
    join(directory, 'bench-loops'),
    ['--ms', String(milliseconds), '--batches', String(batches), ...names],
    { stdin: 'ignore' },
  );
  track(child);
  return parseReading((await child).stdout);
};

/** What bench-loops prints: a line of JSON for each loop. */
export const parseReading = (text: string): Reading =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const { loop, ns } = JSON.parse(line) as { loop: string; ns: number };
        if (!isLoopName(loop) || !(ns > 0)) throw new Error(`bench-loops said: ${line}`);
        return [loop, ns];
      }),
  );
