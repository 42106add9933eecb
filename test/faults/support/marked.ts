/** Whatever a daemon starts, and what that starts, found by a word in its environment, which all of them inherit. */
import { readdir, readFile } from 'node:fs/promises';
import { lives } from '../../live/support/daemon.js';

export interface Marked {
  readonly pid: number;
  readonly command: string;
}

const readText = (file: string): Promise<string> => readFile(file, 'latin1').catch(() => '');

/** The processes that live and have `NAME=value` in their environment; a zombie has none. */
export const markedProcesses = async (name: string, value: string): Promise<readonly Marked[]> => {
  const found: Marked[] = [];
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number)) {
    const environment = await readText(`/proc/${pid}/environ`);
    if (!environment.split('\0').includes(`${name}=${value}`) || !(await lives(pid))) continue;
    const command = (await readText(`/proc/${pid}/cmdline`)).split('\0').join(' ').trim();
    found.push({ pid, command });
  }
  return found;
};

/** Those of them that are a bpftrace, or about to become one. */
export const markedTracers = async (name: string, value: string): Promise<readonly Marked[]> =>
  (await markedProcesses(name, value)).filter(({ command }) => /^(setpriv .*)?\S*bpftrace /.test(command));
