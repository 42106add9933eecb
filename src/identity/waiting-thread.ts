import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isGone, parseStat } from './process.js';

/**
 * Whether a thread may be waiting for a rw_semaphore, as its state in /proc/PID/task/TID/stat tells: who waits sleeps
 * uninterruptibly (`D`: rwsem_down_read_slowpath() and rwsem_down_write_slowpath(), kernel/locking/rwsem.c), or has just
 * been woken (`R`). False when it is gone, or sleeps for something else.
 */
export const mayWaitForLock = (pid: number, tid: number, root = '/proc'): boolean => {
  try {
    const [, , , state = ''] = parseStat(
      readFileSync(join(root, String(pid), 'task', String(tid), 'stat'), 'latin1'),
    );
    return ['D', 'R'].includes(state);
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
};
