/** Modes, names and proc files as keys of maps hold them. */
import { endianness } from 'node:os';
import { nameFromWords } from '../identity/comm.js';
import type { Named } from '../records.js';
import { type Mode, type ProcFile, procFiles } from '../vocabulary.js';

/** Values of `flags` in lock:contention_begin: LCB_F_READ and LCB_F_WRITE (include/trace/events/lock.h, 5.19). */
export const modeOf = (flags: bigint): Mode => (flags === 2n ? 'read' : 'write');

/** From the two integers of a comm and a cgroup id. */
export const namedOf = (word0: bigint, word1: bigint, cgroup: bigint): Named => ({
  name: nameFromWords(word0, word1, endianness()),
  cgroupId: BigInt.asUintN(64, cgroup).toString(),
});

/** Files count from 1 in the order of the vocabulary; 0 is no file that is known, which only blocks may have. */
export const fileOf = (number: bigint): ProcFile | undefined => procFiles[Number(number) - 1];
