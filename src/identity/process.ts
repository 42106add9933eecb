import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import { nameFromBytes } from './comm.js';

/** A process as /proc tells it without touching its address space. */
export interface ProcessIdentity {
  /** The name of the thread-group leader, in the form of nameFromBytes(). */
  readonly comm: string;
  /** Clock ticks (1/100 s) from boot to the start of the process: with the pid, it names the process for good. */
  readonly startTimeTicks: number;
  readonly ppid: number;
  /** -20 to 19. */
  readonly nice: number;
  /** One letter, such as `R`, `S`, `D`, `Z`: see proc_pid_stat(5). */
  readonly state: string;
}

/**
 * Reads comm and stat of a process, and nothing else ever: cmdline, environ, maps and smaps take the mmap_lock of
 * the process read. Undefined when it is gone.
 */
export function readProcess(pid: number, root = '/proc'): ProcessIdentity | undefined {
  try {
    const stat = parseStat(readFileSync(join(root, String(pid), 'stat'), 'latin1'));
    const comm = readFileSync(join(root, String(pid), 'comm'));
    return {
      comm: nameFromBytes(comm.subarray(0, comm.length - 1)),
      startTimeTicks: Number(stat[22]),
      ppid: Number(stat[4]),
      nice: Number(stat[19]),
      state: stat[3]!,
    };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** The fields of /proc/PID/stat by their number in proc_pid_stat(5): index 3 is the state; 0 to 2 are empty. */
export function parseStat(text: string): readonly string[] {
  // The name may hold spaces and parentheses; what follows it never does.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .trim()
    .split(' ');
  return ['', '', '', ...fields];
}

/** Whether an error says that the process ended: before the open (ENOENT), or between open and read (ESRCH). */
export const isGone = (error: unknown): boolean => ['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '');
