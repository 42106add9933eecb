/** Time, as something that can be handed in: only main and the supervisor use timers, and both through this. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds that never go back nor jump, whoever sets the time of day. */
  monotonic(): number;
  /**
   * Calls once after some milliseconds, unless the returned function is called first. After none at all once what has come
   * in meanwhile had its turn: timers that are set anew each time would go on without it.
   */
  after(milliseconds: number, call: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (milliseconds, call) => {
    if (milliseconds === 0) {
      const immediate = setImmediate(call);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
};
