/**
 * How a process ends, told before it is gone: the kernel takes down its probes one after another (some 40 ms each, it
 * waits for readers of each tracepoint) before it closes its pipes and tells the parent. A killed bpftrace takes a second
 * for that, in which the next one can start.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { constants } from 'node:os';
import { parseStat } from '../../identity/process.js';

export interface Exit {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

/** PF_EXITING of include/linux/sched.h: set, as is the exit code, before the first file is closed (do_exit()). */
const exiting = 0x4;

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** Of a process that has begun to end; undefined where it has not, or is gone. Takes no lock of it. */
export const exitOf = (pid: number, root = '/proc'): Exit | undefined => {
  let stat: readonly string[];
  try {
    stat = parseStat(readLine(`${root}/${pid}/stat`));
  } catch {
    return undefined;
  }
  // proc_pid_stat(5): flags are field 9, exit_code is field 52.
  if ((Number(stat[9]) & exiting) === 0) return undefined;
  const status = Number(stat[52]);
  const signal = status & 0x7f;
  return signal === 0
    ? { exitCode: (status >> 8) & 0xff, signal: undefined }
    : { exitCode: undefined, signal: signalNames.get(signal) ?? `signal ${signal}` };
};

/** Of such a file: the name has 15 bytes, each number at most 20 digits. */
const buffer = Buffer.allocUnsafe(2048);

/** By three system calls, for it is done all the time; readFileSync() makes five. */
const readLine = (path: string): string => {
  const file = openSync(path, 'r');
  try {
    return buffer.toString('latin1', 0, readSync(file, buffer));
  } finally {
    closeSync(file);
  }
};
