/** Waits and VMA waits by process name and cgroup, for the API. */
import type { Named, ProcessWaitRow } from '../../records.js';
import type { Mode } from '../../vocabulary.js';
import { RecentEntries } from './recent.js';

interface Total {
  count: number;
  nanoseconds: number;
}

const nothing = (): Total => ({ count: 0, nanoseconds: 0 });

export interface ProcessEntry extends Named {
  readonly waits: Record<Mode, Total>;
  readonly vmaWaits: Total;
  /** Of those that waited for an mmap_lock: VMA waits are not told by pid. */
  lastPid: number | undefined;
  /** When it last waited, for an mmap_lock or a VMA, by the clock of the daemon. */
  lastAt: number;
}

export class ProcessList extends RecentEntries<ProcessEntry> {
  add(row: ProcessWaitRow, count: number, nanoseconds: number, at: number): void {
    const entry = this.#entry(row, at);
    accumulate(entry.waits[row.mode], count, nanoseconds);
    entry.lastPid = row.lastPid ?? entry.lastPid;
  }

  addVmaWaits(victim: Named, count: number, nanoseconds: number, at: number): void {
    accumulate(this.#entry(victim, at).vmaWaits, count, nanoseconds);
  }

  #entry({ name, cgroupId }: Named, at: number): ProcessEntry {
    const entry = this.written(`${cgroupId} ${name}`, () => ({
      name,
      cgroupId,
      waits: { read: nothing(), write: nothing() },
      vmaWaits: nothing(),
      lastPid: undefined,
      lastAt: at,
    }));
    entry.lastAt = at;
    return entry;
  }
}

const accumulate = (total: Total, count: number, nanoseconds: number): void => {
  total.count += count;
  total.nanoseconds += nanoseconds;
};
