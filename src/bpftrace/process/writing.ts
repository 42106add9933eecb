/** Whether a process waits to write, as one does whose pipe is full. */
import { readFileSync } from 'node:fs';
import { systemClock } from '../../clock.js';

/** write(2) and writev(2) by architecture, of arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h. */
const writeCalls: Readonly<Record<string, readonly string[]>> = { x64: ['1', '20'], arm64: ['64', '66'] };

const callsHere = writeCalls[process.arch] ?? [];

/** False also where that cannot be seen: /proc/PID/syscall takes the right to trace it. */
export const isWriting = (pid: number, root = '/proc'): boolean => {
  try {
    return callsHere.includes(readFileSync(`${root}/${pid}/syscall`, 'latin1').split(' ')[0] as string);
  } catch {
    return false;
  }
};

/** Milliseconds between two looks, in which its pipe is read. */
const between = 5;
const most = 1000;

/** Calls `then` once a process does not wait to write, or after a second. */
export const onceItDoesNotWrite = (pid: number | undefined, then: () => void): void => {
  const look = (waited: number): void => {
    if (pid === undefined || waited >= most || !isWriting(pid)) then();
    else systemClock.after(between, () => look(waited + between));
  };
  look(0);
};
