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

  forget(key: string): void {
    this.#seen.delete(key);
  }

  /** Forgets all keys but these. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of this.#seen.keys()) if (!keys.has(key)) this.#seen.delete(key);
  }

  /** Growth of a key since it was last taken, taken now as far as `most` reaches; the rest is there next time. */
  takeUpTo(key: string, value: number, most: number): number {
    const seen = this.#seen.get(key) ?? 0;
    const amount = Math.min(most, Math.max(0, value - seen));
    this.#seen.set(key, seen + amount);
    return amount;
  }

  /** All growth of a key since it was last taken, taken now. */
  takeAll(key: string, value: number): number {
    return this.takeUpTo(key, value, Number.POSITIVE_INFINITY);
  }
}
