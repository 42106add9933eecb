/** The entries of a list that grew most in one tick. */

interface Options<Entry> {
  /** When it was written last, by the clock of the daemon. */
  readonly seenAt: (entry: Entry) => number;
  /** What it adds up; it is ranked by the first. */
  readonly totals: (entry: Entry) => readonly number[];
}

interface Grown<Entry> {
  readonly entry: Entry;
  /** In the order of its totals. */
  readonly grown: readonly number[];
}

const most = 5;

export class TopGrowth<Entry extends object> {
  readonly #options: Options<Entry>;
  /** What each had; those that the list dropped are forgotten with it. */
  readonly #had = new WeakMap<Entry, readonly number[]>();

  constructor(options: Options<Entry>) {
    this.#options = options;
  }

  /**
   * To be called for each tick.
   * @param entries those written last at the end
   * @param at the time of the tick
   */
  take(entries: readonly Entry[], at: number): Grown<Entry>[] {
    const { seenAt, totals } = this.#options;
    const written = entries.slice(entries.findLastIndex((entry) => seenAt(entry) !== at) + 1);
    return written
      .map((entry) => {
        const had = this.#had.get(entry);
        const has = totals(entry);
        this.#had.set(entry, has);
        return { entry, grown: has.map((total, index) => total - (had?.[index] ?? 0)) };
      })
      .filter(({ grown: [rank = 0] }) => rank > 0)
      .sort((a, b) => (b.grown[0] ?? 0) - (a.grown[0] ?? 0))
      .slice(0, most);
  }
}
