/** What a process holds of the host, as the kernel tells it. */
import { readdir, readFile } from 'node:fs/promises';

export interface Resources {
  readonly residentBytes: number;
  readonly threads: number;
  readonly descriptors: number;
}

/**
 * Of a process that lives.
 * @throws Error when it is gone
 */
export const resourcesOf = async (pid: number): Promise<Resources> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return {
    residentBytes: field('VmRSS') * 1024,
    threads: field('Threads'),
    descriptors: (await readdir(`/proc/${pid}/fd`)).length,
  };
};
