/** What the maps of bpf/inspect/holds.bt mean. */
import type { HoldRow } from '../../records.js';
import { fileOf } from './keys.js';
import { joinRows, type MapRows } from './rows.js';

/** The maps it prints, each with the number of integers in its key, which is the file. */
export const holdMaps = { '@holds': 1, '@held_ns': 1 } as const;

/** @holds and @held_ns, keyed (file). */
export const holdRows = (counts: MapRows, nanoseconds: MapRows): HoldRow[] =>
  joinRows([counts, nanoseconds]).flatMap(({ key: [number = 0n], values: [count = 0, held = 0] }) => {
    const file = fileOf(number);
    return file === undefined ? [] : [{ file, count, nanoseconds: held }];
  });
