import { readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** PROC_PID_INIT_INO, include/linux/proc_ns.h (stable since 3.8). */
const initialNamespace = 'pid:[4026531836]';

/**
 * Whether this process is in the initial pid namespace, where its process ids are those that probes see. False too
 * where that cannot be told.
 */
export function inInitialPidNamespace(proc = '/proc'): boolean {
  try {
    return readlinkSync(join(proc, 'self/ns/pid')) === initialNamespace;
  } catch {
    return false;
  }
}
