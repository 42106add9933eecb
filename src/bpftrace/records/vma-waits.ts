/** What the maps of VMA waits mean: of whatever fragment of bpf/ counts them. */
import type { VictimVmaWaitRow, VmaWaits } from '../../records.js';
import { rowsOf, victimNames } from './keys.js';
import { joinRows, type MapRows } from './rows.js';

/** The maps it prints, each with the number of integers in its key. */
export const vmaWaitMaps = {
  '@vma_waits': 1,
  '@vma_wait_ns': 1,
  '@victim_vma_waits': 3,
  '@victim_vma_wait_ns': 3,
} as const;

/** @vma_waits and @vma_wait_ns: all is under the one key 0. */
export const vmaWaits = (counts: MapRows, nanoseconds: MapRows): VmaWaits =>
  totalOf(joinRows([counts, nanoseconds])[0]?.values ?? []);

/** @victim_vma_waits and @victim_vma_wait_ns, keyed (name, name, cgroup). Each is limited to its largest on its own. */
export const victimVmaWaitRows = (
  counts: MapRows,
  nanoseconds: MapRows,
  names = victimNames(),
): VictimVmaWaitRow[] =>
  names
    .join([counts, nanoseconds])
    .map((row) => ({ ...row.meaning, ...totalOf(row.values), ...rowsOf(row) }));

const totalOf = ([count = 0, nanoseconds = 0]: readonly number[]) => ({ count, nanoseconds });
