/**
 * What queued behind the blocked writers of an incident. A stall tells it of its own wait, with the length of the queue;
 * most waits are told by nobody, but ticks tell of all convoys of the victim. The larger of the two counts, for what
 * stalls told is in the ticks as well.
 */
import type { ConvoyWaits, Stall } from '../../records.js';

export class IncidentConvoy {
  readonly #told = { count: 0, nanoseconds: 0, longestQueue: 0 };
  readonly #seen = { count: 0, nanoseconds: 0 };

  /** Of one wait. */
  addTold({ count, nanoseconds, longestQueue }: Stall['convoy']): void {
    this.#told.count += count;
    this.#told.nanoseconds += nanoseconds;
    this.#told.longestQueue = Math.max(this.#told.longestQueue, longestQueue);
  }

  /** Of some ticks, behind whatever wait. */
  addSeen({ count, nanoseconds }: ConvoyWaits): void {
    this.#seen.count += count;
    this.#seen.nanoseconds += nanoseconds;
  }

  get sum(): Stall['convoy'] {
    return {
      count: Math.max(this.#told.count, this.#seen.count),
      nanoseconds: Math.max(this.#told.nanoseconds, this.#seen.nanoseconds),
      longestQueue: this.#told.longestQueue,
    };
  }
}
