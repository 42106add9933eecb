/**
 * How long a tracer that was asked to end is waited for. bpftrace takes down its probes one after another, which may take
 * half a second each (6.12 and later with many CPUs), without a word; what it has counted it prints only then, and what is
 * killed before has counted for nothing.
 */

/** Milliseconds. */
export const lastMapsLimits = {
  /** From the first time it was asked, also in silence. */
  silent: 30_000,
  /** After that, between two things it says. */
  between: 2000,
  /** In all: one that goes on as if nobody had asked says something each second. */
  most: 45_000,
};

export type LastMapsLimits = Readonly<typeof lastMapsLimits>;

/** The time of one tracer. */
export class LastMaps {
  /** Milliseconds that never go back. */
  readonly #now: () => number;
  readonly #limits: LastMapsLimits;
  #askedAt: number | undefined;
  #heardAt = Number.NEGATIVE_INFINITY;

  constructor(now: () => number, limits: LastMapsLimits = lastMapsLimits) {
    this.#now = now;
    this.#limits = limits;
  }

  /** It was asked to end; the first time counts. */
  asked(): void {
    this.#askedAt ??= this.#now();
  }

  /** It said something. */
  heard(): void {
    this.#heardAt = this.#now();
  }

  /** Whether it is to be killed. */
  isTooLate(): boolean {
    if (this.#askedAt === undefined) return false;
    const { silent, between, most } = this.#limits;
    const now = this.#now();
    const waited = now - this.#askedAt;
    return waited > most || (waited > silent && now - this.#heardAt > between);
  }
}
