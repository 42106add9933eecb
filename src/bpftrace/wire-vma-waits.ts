/** What the maps of VMA waits mean: of whatever fragment of bpf/ counts them. */
import type { VictimVmaWaitRow, VmaWaits } from '../records.js';
import { joinRows, type MapRows } from './rows.js';
import { namedOf } from './wire-keys.js';

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
export const victimVmaWaitRows = (counts: MapRows, nanoseconds: MapRows): VictimVmaWaitRow[] =>
  joinRows([counts, nanoseconds]).map(({ key: [word0 = 0n, word1 = 0n, cgroup = 0n], values }) => ({
    ...namedOf(word0, word1, cgroup),
    ...totalOf(values),
  }));

const totalOf = ([count = 0, nanoseconds = 0]: readonly number[]) => ({ count, nanoseconds });
