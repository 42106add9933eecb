/**
 * A bounded set of label sets for a drill-down family.
 *
 * An amount once exposed under one label set never moves. While half of the slots are free, a new name gets one at
 * once, so counts are exact per name on an ordinary host. After that it counts into `~other` until it has earned a
 * slot, and only new amounts go to its own series. A slot is freed only when needed and after an hour without use:
 * its series ends, its total is remembered, and a name readmitted goes on from there.
 */

/** Label values by label name. */
export type Labels = Readonly<Record<string, string>>;

export interface SlotOptions<L extends Labels> {
  /** Label sets exposed at most, those of `~other` not counted. */
  readonly slots: number;
  /** The label set that takes the amounts of names without a slot: names become `~other`, the rest stays. */
  readonly fold: (labels: L) => L;
  /** Whether amounts counted into `~other` so far earn a name its own slot. */
  readonly earned: (amounts: readonly number[]) => boolean;
  /** Milliseconds without use after which a slot may be given away. */
  readonly idleMilliseconds?: number;
  /** How many names without a slot are remembered, to see who earns one and where to go on. */
  readonly remembered?: number;
}

interface Series<L> {
  readonly labels: L;
  readonly totals: number[];
  usedAt: number;
}

export class SlotFamily<L extends Labels> {
  /** Names that were counted into `~other`: what the bound has cost. */
  folded = 0;
  readonly #options: Required<SlotOptions<L>>;
  readonly #live = new Map<string, Series<L>>();
  readonly #others = new Map<string, Series<L>>();
  readonly #candidates: Remembered;
  readonly #retired: Remembered;

  constructor(options: SlotOptions<L>) {
    this.#options = { idleMilliseconds: 3_600_000, remembered: 1000, ...options };
    this.#candidates = new Remembered(this.#options.remembered);
    this.#retired = new Remembered(this.#options.remembered);
  }

  /** Adds amounts (all >= 0, in the order of the family's values) to a label set at a time. */
  add(labels: L, amounts: readonly number[], at: number): void {
    const key = keyOf(labels);
    const series = this.#live.get(key) ?? this.#admit(key, labels, at);
    if (series === undefined) {
      if (!this.#candidates.has(key)) this.folded += 1;
      this.#candidates.set(key, sum(this.#candidates.get(key), amounts));
      this.addToOther(labels, amounts, at);
      return;
    }
    accumulate(series.totals, amounts);
    series.usedAt = at;
  }

  /** Adds amounts of which no name is known (or may be exposed). */
  addToOther(labels: L, amounts: readonly number[], at: number): void {
    const folded = this.#options.fold(labels);
    const key = keyOf(folded);
    const series = this.#others.get(key) ?? { labels: folded, totals: [], usedAt: at };
    this.#others.set(key, series);
    accumulate(series.totals, amounts);
    series.usedAt = at;
  }

  /** All label sets exposed now, `~other` last. */
  series(): { readonly labels: L; readonly totals: readonly number[] }[] {
    return [...this.#live.values(), ...this.#others.values()];
  }

  #admit(key: string, labels: L, at: number): Series<L> | undefined {
    const { slots, earned } = this.#options;
    if (this.#live.size >= Math.ceil(slots / 2)) {
      const pending = this.#candidates.get(key);
      if (pending === undefined || !earned(pending)) return undefined;
      if (this.#live.size >= slots && !this.#freeIdle(at)) return undefined;
    }
    const series = { labels, totals: [...(this.#retired.get(key) ?? [])], usedAt: at };
    this.#retired.delete(key);
    this.#candidates.delete(key);
    this.#live.set(key, series);
    return series;
  }

  #freeIdle(at: number): boolean {
    let oldest: readonly [string, Series<L>] | undefined;
    for (const entry of this.#live)
      if (oldest === undefined || entry[1].usedAt < oldest[1].usedAt) oldest = entry;
    if (oldest === undefined || at - oldest[1].usedAt < this.#options.idleMilliseconds) return false;
    this.#live.delete(oldest[0]);
    this.#retired.set(oldest[0], oldest[1].totals);
    return true;
  }
}

/** Amounts by key; of more than `limit` keys, those written longest ago are forgotten. */
class Remembered {
  readonly #limit: number;
  readonly #amounts = new Map<string, readonly number[]>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(key: string): boolean {
    return this.#amounts.has(key);
  }

  get(key: string): readonly number[] | undefined {
    return this.#amounts.get(key);
  }

  set(key: string, amounts: readonly number[]): void {
    this.#amounts.delete(key);
    this.#amounts.set(key, amounts);
    if (this.#amounts.size > this.#limit) this.#amounts.delete(this.#amounts.keys().next().value as string);
  }

  delete(key: string): void {
    this.#amounts.delete(key);
  }
}

const keyOf = (labels: Labels): string => JSON.stringify(Object.values(labels));

const accumulate = (totals: number[], amounts: readonly number[]): void => {
  for (const [index, amount] of amounts.entries()) totals[index] = (totals[index] ?? 0) + amount;
};

const sum = (totals: readonly number[] | undefined, amounts: readonly number[]): number[] => {
  const result = [...(totals ?? [])];
  accumulate(result, amounts);
  return result;
};
