/** Cgroups of the v2 hierarchy, for tests of what is told by cgroup. */
import { mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the v2 hierarchy is mounted; undefined where it is not. */
const hierarchy = (): string | undefined =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, , type]) => type === 'cgroup2')?.[1];

export interface Cgroup {
  /** As probes see it: its inode number. */
  readonly id: string;
  /** Moves a process into it. */
  take(pid: number): void;
}

/**
 * Makes cgroups with these names, and removes them once the work is done; who is left in them must have ended by then.
 * @throws where there is no v2 hierarchy, or none may be made in it
 */
export const withCgroups = async <T>(
  names: readonly string[],
  work: (cgroups: readonly Cgroup[]) => Promise<T>,
): Promise<T> => {
  const root = hierarchy();
  if (root === undefined) throw new Error('there is no cgroup2 hierarchy');
  const made: string[] = [];
  try {
    const cgroups = names.map((name): Cgroup => {
      const directory = join(root, `mmaplockd-test-${process.pid}-${name}`);
      mkdirSync(directory);
      made.push(directory);
      return {
        id: statSync(directory, { bigint: true }).ino.toString(),
        take: (pid) => writeFileSync(join(directory, 'cgroup.procs'), String(pid)),
      };
    });
    return await work(cgroups);
  } finally {
    for (const directory of made) rmdirSync(directory);
  }
};
