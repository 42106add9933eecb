/** Wall time in which some writer of a process stood behind a reader, by the file of the reader. */
import type { WritersBlockedRow } from '../records.js';
import { type ProcFile, procFiles } from '../vocabulary.js';
import { Growth } from './slots/growth.js';

export class BlockedTimeLedger {
  /** Nanoseconds of every file, from 0. */
  readonly files = new Map<ProcFile, number>(procFiles.map((file) => [file, 0]));
  readonly #growth = new Growth();

  /** A new tracer counts from zero. */
  restart(): void {
    this.#growth.reset();
  }

  apply(rows: readonly WritersBlockedRow[]): void {
    for (const { file, nanoseconds } of rows)
      this.files.set(file, (this.files.get(file) ?? 0) + this.#growth.takeAll(file, nanoseconds));
  }
}
