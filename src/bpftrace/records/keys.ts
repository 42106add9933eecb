/** Modes, names and proc files as keys of maps hold them. */
import { endianness } from 'node:os';
import { nameFromWords } from '../../identity/comm.js';
import type { Named } from '../../records.js';
import { type Mode, type ProcFile, procFiles } from '../../vocabulary.js';
import { WholeNames } from './whole-names.js';

/** Values of `flags` in lock:contention_begin: LCB_F_READ and LCB_F_WRITE (include/trace/events/lock.h, 5.19). */
export const modeOf = (flags: bigint): Mode => (flags === 2n ? 'read' : 'write');

/** From the two integers of a comm and a cgroup id. */
export const namedOf = (word0: bigint, word1: bigint, cgroup: bigint): Named => ({
  name: nameFromWords(word0, word1, endianness()),
  cgroupId: BigInt.asUintN(64, cgroup).toString(),
});

/** What a key (name, name, cgroup) means. */
export const namedKey = ([word0 = 0n, word1 = 0n, cgroup = 0n]: readonly bigint[]): Named =>
  namedOf(word0, word1, cgroup);

/** What the keys of maps by victim mean: (name, name, cgroup). */
export const victimNames = () => new WholeNames(namedKey);

/** `rows` of a record: told where a name had several of them (see whole-names.ts). */
export const rowsOf = ({ rows }: { readonly rows: number }): { readonly rows?: number } =>
  rows === 1 ? {} : { rows };

/** Files count from 1 in the order of the vocabulary; 0 is no file that is known, which only blocks may have. */
export const fileOf = (number: bigint): ProcFile | undefined => procFiles[Number(number) - 1];
