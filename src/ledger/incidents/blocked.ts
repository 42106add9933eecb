/**
 * Wall time with a writer blocked: the union of waits, so that writers that wait at the same time count once. Waits
 * come in the order in which they end, or nearly so; one that is still going on may be added again and again.
 */

/** Spans kept apart at most; of more, the older half becomes one part. */
const spanLimit = 256;
/** Parts kept at most; what lies before them is only a sum any more. */
const partLimit = 256;

/** Nanoseconds since the origin. */
interface Span {
  from: number;
  to: number;
}

/** So many nanoseconds of a span, nobody knows where in it. */
interface Part extends Span {
  nanoseconds: number;
  /** A wait within it that is told later is taken off. */
  open: boolean;
}

/** What a window tells beyond the waits that are known. */
export interface WindowTime {
  readonly nanoseconds: number;
  /** From now on it stays as it is. */
  close(): void;
}

export class BlockedTime {
  readonly #origin: number;
  /** In the order of time, none touching the next. */
  #spans: Span[] = [];
  /** What windows told of short waits that were not told one by one, and old waits. */
  readonly #parts: Part[] = [];
  #forgotten = 0;

  /** @param origin by the clock of the daemon, near which all times lie: keeps nanoseconds exact */
  constructor(origin: number) {
    this.#origin = origin;
  }

  get nanoseconds(): number {
    const inParts = this.#parts.reduce((sum, { nanoseconds }) => sum + nanoseconds, this.#forgotten);
    return this.#spans.reduce((sum, { from, to }) => sum + to - from, inParts);
  }

  /** A wait that ended, or was still going on, at a time in by the clock of the daemon. */
  addWait(at: number, nanoseconds: number): void {
    const open = this.#parts.filter((part) => part.open);
    const known = open.map((part) => this.#inSpans(part));
    this.#addSpan(this.#span(at, nanoseconds));
    for (const [index, part] of open.entries()) {
      const fresh = this.#inSpans(part) - (known[index] ?? 0);
      part.nanoseconds = Math.max(0, part.nanoseconds - fresh);
    }
    if (this.#spans.length > spanLimit) this.#mergeOldest();
  }

  /**
   * What was seen in a window that ends at a time: `blocked` of so many nanoseconds. Counts as far as it is more than
   * is known of that time already; that may have been all that an earlier window has in common with this one.
   */
  addWindow(at: number, windowNanoseconds: number, blocked: number): WindowTime {
    const window = this.#span(at, windowNanoseconds);
    const inParts = this.#parts.reduce(
      (sum, part) => sum + Math.min(part.nanoseconds, overlap(part, window)),
      0,
    );
    const part: Part = {
      ...window,
      nanoseconds: Math.max(0, blocked - this.#inSpans(window) - inParts),
      open: true,
    };
    this.#addPart(part);
    return {
      get nanoseconds() {
        return part.nanoseconds;
      },
      close: () => {
        part.open = false;
      },
    };
  }

  #addSpan(added: Span): void {
    const apart: Span[] = [];
    for (const span of this.#spans)
      if (span.to < added.from || span.from > added.to) apart.push(span);
      else {
        added.from = Math.min(added.from, span.from);
        added.to = Math.max(added.to, span.to);
      }
    this.#spans = [...apart, added].sort((a, b) => a.from - b.from);
  }

  #mergeOldest(): void {
    const oldest = this.#spans.splice(0, spanLimit / 2);
    const { from } = oldest[0] as Span;
    const { to } = oldest.at(-1) as Span;
    const nanoseconds = oldest.reduce((sum, span) => sum + span.to - span.from, 0);
    this.#addPart({ from, to, nanoseconds, open: false });
  }

  #addPart(part: Part): void {
    this.#parts.push(part);
    if (this.#parts.length <= partLimit) return;
    const oldest = this.#parts.shift() as Part;
    this.#forgotten += oldest.nanoseconds;
  }

  #inSpans(window: Span): number {
    return this.#spans.reduce((sum, span) => sum + overlap(span, window), 0);
  }

  #span(at: number, nanoseconds: number): Span {
    const to = (at - this.#origin) * 1e6;
    return { from: to - nanoseconds, to };
  }
}

const overlap = (a: Span, b: Span): number => Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from));
