/**
 * When, by the clock of the daemon, that was which the kernel stamped by its own (`nsecs`): lines wait in the pipe while
 * this process stands still, and are then read all at once.
 *
 * A tick tells what the clock of the kernel was when it was written. It is read a little later, or much: the least that
 * the two clocks were ever apart is what they are apart. Neither clock of the two is ever set. While a host is suspended
 * that of the kernel goes on and that of Node does not (CLOCK_BOOTTIME, CLOCK_MONOTONIC): they are less apart from then on.
 */
export class KernelClock {
  readonly #now: () => number;
  readonly #monotonic: () => number;
  /** Milliseconds that the clock of Node is before that of the kernel. */
  #apart = Number.POSITIVE_INFINITY;

  /**
   * @param now by the clock of the daemon
   * @param monotonic milliseconds that nobody sets
   */
  constructor(now: () => number, monotonic: () => number) {
    this.#now = now;
    this.#monotonic = monotonic;
  }

  /** A line that says what the clock of the kernel was has been read; gives when that was, by {@link Clock.now}. */
  read(nanoseconds: bigint): number {
    this.#apart = Math.min(this.#apart, this.#monotonic() - Number(nanoseconds) / 1e6);
    return this.at(nanoseconds);
  }

  /** When the clock of the kernel was so, by {@link Clock.now}: now where it was not read yet. */
  at(nanoseconds: bigint): number {
    const late = this.#monotonic() - (Number(nanoseconds) / 1e6 + this.#apart);
    return this.#now() - (Number.isFinite(late) ? Math.max(0, Math.round(late)) : 0);
  }
}
