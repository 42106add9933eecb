/**
 * An incident over time: points a second apart while there are few, wider where it lasts, so that its begin is never
 * dropped. Steps in which nothing happened have no point.
 */
import type { TimelinePoint } from './incident.js';

type Amounts = { -readonly [Amount in Exclude<keyof TimelinePoint, 'at'>]: TimelinePoint[Amount] };

const pointLimit = 600;

export class Timeline {
  stepMilliseconds = 1000;
  readonly #limit: number;
  readonly #steps = new Map<number, Amounts>();

  constructor(limit: number = pointLimit) {
    this.#limit = limit;
  }

  /** Time that a writer waited: from a time to another, by the clock of the daemon. */
  addBlocked(from: number, to: number): void {
    // So long a wait would make more steps than fit.
    while ((to - from) / this.stepMilliseconds > this.#limit) this.#widen();
    for (let start = this.#startOf(from); start < to; start += this.stepMilliseconds) {
      const milliseconds = Math.min(to, start + this.stepMilliseconds) - Math.max(from, start);
      this.#at(start).blockedNanoseconds += Math.round(milliseconds * 1e6);
    }
    this.#bound();
  }

  /** A wait that ended at a time, and the read waits that had queued behind it. */
  addWait(at: number, convoyWaits: number): void {
    const step = this.#at(this.#startOf(at));
    step.waits += 1;
    step.convoyWaits += convoyWaits;
    this.#bound();
  }

  points(): TimelinePoint[] {
    return Array.from(this.#steps, ([at, amounts]) => ({ at, ...amounts })).sort((a, b) => a.at - b.at);
  }

  #startOf(at: number): number {
    return Math.floor(at / this.stepMilliseconds) * this.stepMilliseconds;
  }

  #at(start: number): Amounts {
    const step = this.#steps.get(start) ?? { blockedNanoseconds: 0, waits: 0, convoyWaits: 0 };
    this.#steps.set(start, step);
    return step;
  }

  #bound(): void {
    while (this.#steps.size > this.#limit) this.#widen();
  }

  #widen(): void {
    this.stepMilliseconds *= 2;
    const narrow = [...this.#steps];
    this.#steps.clear();
    for (const [start, amounts] of narrow) {
      const step = this.#at(this.#startOf(start));
      step.blockedNanoseconds += amounts.blockedNanoseconds;
      step.waits += amounts.waits;
      step.convoyWaits += amounts.convoyWaits;
    }
  }
}
