/**
 * Gives the growth of bounded totals to names.
 *
 * The tracer updates names first and totals last, and is read the other way round, so names can only be ahead: what
 * is ahead waits for the next tick. What no name claims was lost to a full map, or belongs to a row left out.
 */
import { Growth } from './growth.js';

/** A row of one name: cumulative values, and what the totals it is part of have grown by. */
export interface Claim {
  readonly key: string;
  /** How many rows of the tracer it is made of; one unless told otherwise. */
  readonly rows?: number | undefined;
  readonly values: readonly number[];
  /** For each value; shared by all claims on the same totals. Lowered by what is given. */
  readonly budget: number[];
}

/** What is known of one value of all rows. Each value is a map of its own to the tracer, and printed on its own. */
interface Column {
  readonly growth: Growth;
  rowsWereLeftOut: boolean;
  /** Of keys that were made of several rows, how many at the last tick. */
  rows: Map<string, number>;
}

export class Apportionment {
  readonly #rowLimit: number;
  readonly #columns: Column[] = [];

  /** @param rowLimit rows with a value of one kind that a tick carries at most; as many mean that some were left out */
  constructor(rowLimit: number) {
    this.#rowLimit = rowLimit;
  }

  /** A new tracer counts from zero. */
  restart(): void {
    this.#columns.length = 0;
  }

  /**
   * Takes all rows of one tick. What is left in the budgets afterwards no name claims.
   * @param give takes the amounts of one claim; not called where all are 0
   */
  share<C extends Claim>(claims: readonly C[], give: (claim: C, amounts: readonly number[]) => void): void {
    for (const claim of claims) {
      const amounts = claim.values.map((value, index) => this.#take(claim, index, value));
      if (amounts.some((amount) => amount > 0)) give(claim, amounts);
    }
    for (const [index, column] of this.#columns.entries()) {
      const printed = claims.filter(({ values }) => isPrinted(values[index]));
      // Too many are no harm: what is not printed then has never been.
      const rows = printed.reduce((sum, claim) => sum + rowsOf(claim), 0);
      column.rowsWereLeftOut ||= rows >= this.#rowLimit;
      if (column.rowsWereLeftOut) column.growth.keepOnly(new Set(printed.map(({ key }) => key)));
      column.rows = new Map(
        printed.flatMap((claim) => (rowsOf(claim) > 1 ? [[claim.key, rowsOf(claim)]] : [])),
      );
    }
  }

  #take(claim: Claim, index: number, value: number): number {
    const { key, budget } = claim;
    const column = this.#column(index);
    if (!isPrinted(value)) return 0;
    if (column.rowsWereLeftOut && (column.rows.get(key) ?? 1) !== rowsOf(claim)) column.growth.forget(key);
    if (column.rowsWereLeftOut && !column.growth.has(key)) {
      // What it had was not claimed while its row was left out: only what comes from now on is its own.
      column.growth.takeAll(key, value);
      return 0;
    }
    const left = budget[index] ?? 0;
    const amount = column.growth.takeUpTo(key, value, left);
    budget[index] = left - amount;
    return amount;
  }

  #column(index: number): Column {
    const column = this.#columns[index] ?? {
      growth: new Growth(),
      rowsWereLeftOut: false,
      rows: new Map(),
    };
    this.#columns[index] = column;
    return column;
  }
}

const rowsOf = ({ rows = 1 }: Claim): number => rows;

/** A row left out of one map has 0 there. One printed with 0 tells nothing either: the largest are printed. */
const isPrinted = (value: number | undefined): boolean => value !== undefined && value > 0;
