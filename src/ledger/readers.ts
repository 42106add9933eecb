/**
 * Readers of proc files: bounded totals by file, and the same by reader within slots. The two ways of counting always
 * agree: over all label sets of a file, the amounts by reader are the bounded totals.
 */
import type { Tick } from '../records.js';
import { type ProcFile, procFiles } from '../vocabulary.js';
import {
  amountNames,
  noAmounts,
  nothingRead,
  ReaderList,
  type ReadTotal,
  readerKey,
} from './lists/reader-list.js';
import { Apportionment } from './slots/apportion.js';
import { Growth } from './slots/growth.js';
import type { NameOptions } from './slots/names.js';
import { SlotFamily } from './slots/slots.js';

/** Either of them in all earns a reader its own series. */
const earnedReads = 100;
const earnedNanoseconds = 10_000_000;

type ReaderLabels = { readonly file: ProcFile; readonly reader: string };

export class ReaderLedger {
  /** Every file, from 0. */
  readonly files = new Map<ProcFile, ReadTotal>(procFiles.map((file) => [file, nothingRead()]));
  /** Totals in the order of `amountNames`. */
  readonly readers: SlotFamily<ReaderLabels>;
  readonly list = new ReaderList();
  readonly #label: NameOptions['label'];
  readonly #growth = new Growth();
  readonly #names: Apportionment;

  constructor({ slots, label, rowLimit }: NameOptions) {
    this.#label = label;
    this.#names = new Apportionment(rowLimit);
    this.readers = new SlotFamily<ReaderLabels>({
      slots,
      fold: ({ file }) => ({ file, reader: '~other' }),
      earned: (amounts) =>
        amountOf(amounts, 'reads') >= earnedReads ||
        amountOf(amounts, 'waitNanoseconds') >= earnedNanoseconds,
    });
    // `~other` is there from the start, so that its first amount shows as an increase.
    for (const file of procFiles) this.readers.addToOther({ file, reader: '' }, noAmounts(), 0);
  }

  /** A new tracer counts from zero. */
  restart(): void {
    this.#growth.reset();
    this.#names.restart();
  }

  apply({ procFiles: rows, readers, at }: Tick): void {
    const budgets = new Map<ProcFile, number[]>(procFiles.map((file) => [file, noAmounts()]));
    for (const row of rows) {
      const total = this.files.get(row.file) as ReadTotal;
      const budget = budgets.get(row.file) as number[];
      for (const [index, amount] of amountNames.entries()) {
        const added = this.#growth.takeAll(`${row.file} ${amount}`, row[amount]);
        total[amount] += added;
        budget[index] = (budget[index] ?? 0) + added;
      }
    }
    const claims = readers.map((row) => ({
      row,
      key: readerKey(row),
      rows: row.rows,
      values: amountNames.map((amount) => row[amount]),
      budget: budgets.get(row.file) as number[],
    }));
    this.#names.share(claims, ({ row }, amounts) => {
      const reader = this.#label(row.name, row.cgroupId);
      this.readers.add({ file: row.file, reader }, amounts, at);
      this.list.add(row, amounts, at);
    });
    for (const [file, rest] of budgets) this.readers.addToOther({ file, reader: '' }, rest, at);
  }
}

const amountOf = (amounts: readonly number[], name: (typeof amountNames)[number]): number =>
  amounts[amountNames.indexOf(name)] ?? 0;
