/** Waits by process name and cgroup, for the API. */
import type { Named, ProcessWaitRow } from '../records.js';
import type { Mode } from '../vocabulary.js';
import { RecentEntries } from './recent.js';

export interface ProcessEntry extends Named {
  readonly waits: Record<Mode, { count: number; nanoseconds: number }>;
  lastPid: number | undefined;
  /** When it last waited, milliseconds since the epoch. */
  lastAt: number;
}

export class ProcessList extends RecentEntries<ProcessEntry> {
  add(
    { name, cgroupId, mode, lastPid }: ProcessWaitRow,
    count: number,
    nanoseconds: number,
    at: number,
  ): void {
    const entry = this.written(`${cgroupId} ${name}`, () => ({
      name,
      cgroupId,
      waits: { read: { count: 0, nanoseconds: 0 }, write: { count: 0, nanoseconds: 0 } },
      lastPid,
      lastAt: at,
    }));
    entry.waits[mode].count += count;
    entry.waits[mode].nanoseconds += nanoseconds;
    entry.lastPid = lastPid ?? entry.lastPid;
    entry.lastAt = at;
  }
}
