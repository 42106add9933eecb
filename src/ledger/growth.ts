/**
 * Growth of cumulative values. Each tracer counts from zero, so the first value of a key is all growth; a value that
 * shrinks within one tracer's life (which no map of ours does) counts as no growth, never as negative.
 */
export class Growth {
  readonly #seen = new Map<string, number>();

  /** A new tracer: every key starts at zero again. */
  reset(): void {
    this.#seen.clear();
  }

  has(key: string): boolean {
    return this.#seen.has(key);
  }

  /** How much of `value` has not been taken yet. */
  pending(key: string, value: number): number {
    return Math.max(0, value - (this.#seen.get(key) ?? 0));
  }

  /** Marks `amount` more of a key as taken. */
  take(key: string, amount: number): void {
    this.#seen.set(key, (this.#seen.get(key) ?? 0) + amount);
  }

  /** All growth of a key since it was last taken, taken now. */
  takeAll(key: string, value: number): number {
    const amount = this.pending(key, value);
    this.take(key, amount);
    return amount;
  }
}
