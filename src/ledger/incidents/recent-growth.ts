/**
 * What each tick added, row by row, for the last minute. Bounded: the oldest rows go first. Cumulative values tell what
 * was until now; what happened in a window that is told of later is found here.
 */

/** The longest window there is (`incidents.window_seconds`), and some ticks in which it may be told of. */
const memoryMilliseconds = 65_000;
const rowLimit = 2000;

/** The time of one tick, by the clock of the daemon: after `from`, up to `to`. */
export interface TickSpan {
  readonly from: number;
  readonly to: number;
}

export class RecentGrowth<Row> {
  readonly #limit: number;
  /** In the order of time. */
  #rows: (Row & TickSpan)[] = [];
  #tickAt = Number.NEGATIVE_INFINITY;

  constructor(limit: number = rowLimit) {
    this.#limit = limit;
  }

  /** Takes what a tick at a time added, before {@link ticked} says that the tick is whole. */
  add(row: Row, at: number): void {
    this.#rows.push({ ...row, from: this.#tickAt, to: at });
    if (this.#rows.length > this.#limit) this.#rows.shift();
  }

  /** A tick is whole; what comes next belongs to the one after it. */
  ticked(at: number): void {
    this.#tickAt = at;
    // Rows of a time to come, should there be any, would never grow old.
    this.#rows = this.#rows.filter(({ to }) => Math.abs(at - to) <= memoryMilliseconds);
  }

  /** Rows of the last tick. */
  last(): (Row & TickSpan)[] {
    return this.#rows.filter(({ to }) => to === this.#tickAt);
  }

  /** Rows of all ticks that reach into a span of time, oldest first: what happened within a tick is not told apart. */
  within({ from, to }: TickSpan): (Row & TickSpan)[] {
    return this.#rows.filter((row) => row.to > from && row.from < to);
  }

  clear(): void {
    this.#rows = [];
  }
}
