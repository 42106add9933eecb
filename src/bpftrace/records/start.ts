/** What the maps of the fragments of mode `start` mean: bpf/start/lock-path.bt and bpf/start/own-files.bt. */
import type { LockTakeRow, OwnSeen } from '../../own-records.js';
import { fileOf } from './keys.js';
import { joinRows, type MapRows } from './rows.js';

/** The maps they print, each with the number of integers in its key. */
export const startMaps = {
  '@lock_path_takes': 2,
  '@lock_path_fills': 2,
  '@own_registers': 1,
  '@own_operations': 2,
  '@own_ids': 1,
  '@own_reads': 1,
} as const;

/** @lock_path_takes and @lock_path_fills, keyed (pid, descriptor): of the daemon alone, but where it is run by hand. */
export const lockTakeRows = (takes: MapRows, fills: MapRows): LockTakeRow[] =>
  joinRows([takes, fills]).map(({ key: [, descriptor], values: [taken = 0, filled = 0] }) => ({
    descriptor: Number(descriptor),
    takes: taken,
    fills: filled,
  }));

/** The maps of bpf/start/own-files.bt. */
export const ownSeen = (rows: (map: string) => MapRows): OwnSeen => {
  const numbered = (map: string): readonly (number | undefined)[] => {
    const values: (number | undefined)[] = [];
    for (const { key, value } of rows(map)) values[Number(key[0]) - 1] = Number(value);
    return values;
  };
  const [told, real] = numbered('@own_ids');
  return {
    registers: numbered('@own_registers'),
    operations: rows('@own_operations').map(({ key: [descriptor, operation], value }) => ({
      descriptor: Number(descriptor),
      operation: Number(operation),
      address: BigInt.asUintN(64, BigInt(value)),
    })),
    ids: [told, real],
    reads: rows('@own_reads').flatMap(({ key: [number = 0n], value }) => {
      const file = fileOf(number);
      return file === undefined ? [] : [{ file, count: Number(value) }];
    }),
  };
};
