/** What the maps of bpf/measures/convoys.bt, bpf/measures/blocked-time.bt and bpf/measures/victim-blocked-time.bt mean. */
import type { ConvoyWaits, VictimBlockedRow, VictimConvoyRow, WritersBlockedRow } from '../../records.js';
import { fileOf, rowsOf, victimNames } from './keys.js';
import { joinRows, type MapRows } from './rows.js';

/** The maps it prints, each with the number of integers in its key. */
export const convoyMaps = {
  '@convoy_waits': 1,
  '@convoy_wait_ns': 1,
  '@victim_convoy_waits': 3,
  '@victim_convoy_wait_ns': 3,
} as const;

/** The map by file, with the number of integers in its key, which is the file. */
export const blockedTimeMaps = { '@writers_blocked_ns': 1 } as const;

/** The map by name, with the number of integers in its key. */
export const victimBlockedMaps = { '@victim_blocked_ns': 3 } as const;

/** @convoy_waits and @convoy_wait_ns: all is under the one key 0. */
export const convoyWaits = (counts: MapRows, nanoseconds: MapRows): ConvoyWaits =>
  totalOf(joinRows([counts, nanoseconds])[0]?.values ?? []);

/**
 * @victim_convoy_waits and @victim_convoy_wait_ns, keyed (name, name, cgroup). Each is limited to its largest on its
 * own.
 */
export const victimConvoyRows = (
  counts: MapRows,
  nanoseconds: MapRows,
  names = victimNames(),
): VictimConvoyRow[] =>
  names
    .join([counts, nanoseconds])
    .map((row) => ({ ...row.meaning, ...totalOf(row.values), ...rowsOf(row) }));

/** @writers_blocked_ns, keyed (file). */
export const writersBlockedRows = (nanoseconds: MapRows): WritersBlockedRow[] =>
  nanoseconds.flatMap(({ key: [number = 0n], value }) => {
    const file = fileOf(number);
    return file === undefined ? [] : [{ file, nanoseconds: Number(value) }];
  });

/** @victim_blocked_ns, keyed (name, name, cgroup). */
export const victimBlockedRows = (nanoseconds: MapRows, names = victimNames()): VictimBlockedRow[] =>
  names
    .join([nanoseconds])
    .map(({ meaning, values: [blocked = 0] }) => ({ ...meaning, nanoseconds: blocked }));

const totalOf = ([count = 0, nanoseconds = 0]: readonly number[]): ConvoyWaits => ({ count, nanoseconds });
