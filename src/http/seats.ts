/** Who holds connections of a listener, so that nobody holds all of them. Knows no sockets. */

export interface SeatLimits {
  readonly ofAll: number;
  /** Of one source. */
  readonly ofOne: number;
}

export class Seats {
  readonly #limits: SeatLimits;
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(limits: SeatLimits) {
    this.#limits = limits;
  }

  /** Whether so many are taken that those who do nothing should go. */
  get scarce(): boolean {
    return this.#all >= (this.#limits.ofAll * 3) / 4;
  }

  /** Takes a seat; false where there is none for this source. */
  take(source: string): boolean {
    const own = this.#taken.get(source) ?? 0;
    if (this.#all >= this.#limits.ofAll || own >= this.#limits.ofOne) return false;
    this.#taken.set(source, own + 1);
    this.#all += 1;
    return true;
  }

  /** Gives one back that was taken. */
  leave(source: string): void {
    const own = (this.#taken.get(source) ?? 0) - 1;
    if (own > 0) this.#taken.set(source, own);
    else this.#taken.delete(source);
    this.#all -= 1;
  }
}
