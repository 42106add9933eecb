/** What the maps of bpf/lock-path.bt mean. */
import type { LockTakeRow } from '../records.js';
import type { ProcFile } from '../vocabulary.js';
import { joinRows, type MapRows } from './rows.js';
import { fileOf } from './wire-keys.js';

/** The maps it prints, each with the number of integers in its key. */
export const lockPathMaps = { '@lock_path_takes': 1, '@lock_path_fills': 1 } as const;

/** @lock_path_takes and @lock_path_fills, keyed (file). */
export const lockTakeRows = (takes: MapRows, fills: MapRows): LockTakeRow[] =>
  joinRows([takes, fills]).map(({ key: [file = 0n], values: [taken = 0, filled = 0] }) => ({
    file: fileOf(file) as ProcFile,
    takes: taken,
    fills: filled,
  }));
