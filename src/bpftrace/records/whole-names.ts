/**
 * Rows of one name as one row. Before Linux 5.17 __set_task_comm() copied a name with strlcpy() (fs/exec.c), which
 * leaves what stood behind its NUL: `cat` run by bash and `cat` run by python3 differ in their 16 bytes, and have a key
 * each in every map. Decoded they are one name, and whoever comes after the decoder knows names only so.
 */
import { joinRows, type MapRows } from './rows.js';

/** All rows of what a key means. */
export interface WholeRow<Meaning> {
  readonly meaning: Meaning;
  /** Of each map, all rows added up. */
  readonly values: readonly number[];
  /** How many rows it was made of. */
  readonly rows: number;
  /** The key of the row that has grown since the tick before; where several have, of the one that has grown most. */
  readonly newest: readonly bigint[];
}

/** One for each group of maps that are keyed alike, kept from tick to tick. */
export class WholeNames<Meaning extends object> {
  readonly #meaningOf: (key: readonly bigint[]) => Meaning;
  /** What each row came to at the tick before, by its key. */
  #before = new Map<string, number>();

  /** @param meaningOf equal for keys whose rows are to be added up */
  constructor(meaningOf: (key: readonly bigint[]) => Meaning) {
    this.#meaningOf = meaningOf;
  }

  /** Joins maps as joinRows() does, and adds up the rows whose keys mean the same. */
  join(maps: readonly MapRows[]): WholeRow<Meaning>[] {
    const whole = new Map<string, Draft<Meaning>>();
    const sums = new Map<string, number>();
    for (const { key, values } of joinRows(maps)) {
      const row = key.join();
      const sum = values.reduce((all, value) => all + value, 0);
      sums.set(row, sum);
      const growth = sum - (this.#before.get(row) ?? 0);
      const meaning = this.#meaningOf(key);
      const text = JSON.stringify(meaning);
      const draft = whole.get(text);
      if (draft === undefined)
        whole.set(text, { meaning, values: [...values], rows: 1, newest: key, growth });
      else add(draft, key, values, growth);
    }
    this.#before = sums;
    return [...whole.values()];
  }
}

interface Draft<Meaning> extends WholeRow<Meaning> {
  readonly values: number[];
  rows: number;
  newest: readonly bigint[];
  growth: number;
}

const add = (
  draft: Draft<object>,
  key: readonly bigint[],
  values: readonly number[],
  growth: number,
): void => {
  for (const [index, value] of values.entries()) draft.values[index] = (draft.values[index] ?? 0) + value;
  draft.rows += 1;
  if (growth <= draft.growth) return;
  draft.newest = key;
  draft.growth = growth;
};
