/** Maps of one tick as the decoder hands them over, written by hand. */
import { endianness } from 'node:os';
import type { MapRows } from '../../src/bpftrace/records/rows.js';

export const rows = (
  ...entries: readonly (readonly [key: readonly (number | bigint)[], value: number | bigint])[]
): MapRows => entries.map(([key, value]) => ({ key: key.map(BigInt), value }));

/** Values of `flags` in lock:contention_begin. */
export const read = 2;
export const write = 4;

/** The two integers a comm of up to 16 bytes is read as; signed, as bpftrace prints them. */
export const words = (comm: string | readonly number[]): [bigint, bigint] => {
  const bytes = Buffer.alloc(16);
  Buffer.from(comm as string, 'utf8').copy(bytes);
  return endianness() === 'LE'
    ? [bytes.readBigInt64LE(0), bytes.readBigInt64LE(8)]
    : [bytes.readBigInt64BE(0), bytes.readBigInt64BE(8)];
};
