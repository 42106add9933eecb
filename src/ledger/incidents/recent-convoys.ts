/** Convoys of the last minute, by the name and cgroup of their victim: also of those behind waits told by nobody. */
import type { ConvoyWaits, Named } from '../../records.js';
import { RecentGrowth, type TickSpan } from './recent-growth.js';

export class RecentConvoys {
  readonly #growth = new RecentGrowth<Named & { count: number; nanoseconds: number }>();

  /** Takes what a tick added to one victim. */
  add({ name, cgroupId }: Named, count: number, nanoseconds: number, at: number): void {
    this.#growth.add({ name, cgroupId, count, nanoseconds }, at);
  }

  /** A tick is whole. */
  ticked(at: number): void {
    this.#growth.ticked(at);
  }

  /** Takes the convoys of a victim in the ticks that reach into a span of time. None is given twice. */
  take({ name, cgroupId }: Named, span: TickSpan): ConvoyWaits {
    const sum = { count: 0, nanoseconds: 0 };
    for (const row of this.#growth.within(span)) {
      if (row.name !== name || row.cgroupId !== cgroupId) continue;
      sum.count += row.count;
      sum.nanoseconds += row.nanoseconds;
      row.count = 0;
      row.nanoseconds = 0;
    }
    return sum;
  }
}
