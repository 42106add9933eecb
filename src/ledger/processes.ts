/** Waits by process name and cgroup, for the API: more names than metrics have slots for, still bounded. */
import type { ProcessWaitRow } from '../records.js';
import type { Mode } from '../vocabulary.js';

export interface ProcessEntry {
  readonly name: string;
  readonly cgroupId: string;
  readonly waits: Record<Mode, { count: number; nanoseconds: number }>;
  lastPid: number | undefined;
  /** When it last waited, milliseconds since the epoch. */
  lastAt: number;
}

const limit = 2000;

export class ProcessList {
  /** Entries dropped for newer ones: the list is not complete when this is not 0. */
  dropped = 0;
  readonly #entries = new Map<string, ProcessEntry>();

  add(
    { name, cgroupId, mode, lastPid }: ProcessWaitRow,
    count: number,
    nanoseconds: number,
    at: number,
  ): void {
    const key = `${cgroupId} ${name}`;
    const entry = this.#entries.get(key) ?? {
      name,
      cgroupId,
      waits: { read: { count: 0, nanoseconds: 0 }, write: { count: 0, nanoseconds: 0 } },
      lastPid,
      lastAt: at,
    };
    entry.waits[mode].count += count;
    entry.waits[mode].nanoseconds += nanoseconds;
    entry.lastPid = lastPid ?? entry.lastPid;
    entry.lastAt = at;
    // Written last stands last: the first is the one to drop.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > limit) {
      this.#entries.delete(this.#entries.keys().next().value as string);
      this.dropped += 1;
    }
  }

  entries(): ProcessEntry[] {
    return [...this.#entries.values()];
  }
}
