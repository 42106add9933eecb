/**
 * Wall time with a writer blocked: the union of waits, so that writers that wait at the same time count once. Waits
 * come in the order in which they end; one that is still going on may be added again and again.
 */

/** Spans kept apart at most; what lies before them is only a sum any more. */
const spanLimit = 256;

/** Nanoseconds since the origin. */
interface Span {
  from: number;
  to: number;
}

export class BlockedTime {
  readonly #origin: number;
  /** In the order of time, none touching the next. */
  #spans: Span[] = [];
  #forgotten = 0;
  /** What windows told of short waits that were not told one by one. */
  readonly #windows: { readonly to: number; readonly nanoseconds: number }[] = [];
  #inWindows = 0;

  /** @param origin milliseconds since the epoch, near which all times lie: keeps nanoseconds exact */
  constructor(origin: number) {
    this.#origin = origin;
  }

  get nanoseconds(): number {
    return this.#spans.reduce((sum, { from, to }) => sum + to - from, this.#forgotten + this.#inWindows);
  }

  /** A wait that ended, or was still going on, at a time in milliseconds since the epoch. */
  addWait(at: number, nanoseconds: number): void {
    const added = this.#span(at, nanoseconds);
    const apart: Span[] = [];
    for (const span of this.#spans)
      if (span.to < added.from || span.from > added.to) apart.push(span);
      else {
        added.from = Math.min(added.from, span.from);
        added.to = Math.max(added.to, span.to);
      }
    this.#spans = [...apart, added].sort((a, b) => a.from - b.from);
    if (this.#spans.length <= spanLimit) return;
    const oldest = this.#spans.shift() as Span;
    this.#forgotten += oldest.to - oldest.from;
  }

  /**
   * What was seen in a window that ends at a time: `blocked` of so many nanoseconds. Counts as far as it is more than
   * is known of that time already.
   */
  addWindow(at: number, windowNanoseconds: number, blocked: number): void {
    const window = this.#span(at, windowNanoseconds);
    const known = this.#spans.reduce(
      (sum, { from, to }) => sum + Math.max(0, Math.min(to, window.to) - Math.max(from, window.from)),
      0,
    );
    const told = this.#windows
      .filter(({ to }) => to > window.from)
      .reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
    const nanoseconds = Math.max(0, blocked - known - told);
    this.#inWindows += nanoseconds;
    this.#windows.push({ to: window.to, nanoseconds });
    if (this.#windows.length > spanLimit) this.#windows.shift();
  }

  #span(at: number, nanoseconds: number): Span {
    const to = (at - this.#origin) * 1e6;
    return { from: to - nanoseconds, to };
  }
}
