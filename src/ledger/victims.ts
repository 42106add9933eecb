/**
 * What befalls processes beside their waits for mmap_lock, as VMA waits and convoys do: one total, and the same by name
 * within slots, which always agree.
 */
import type { Merged, Named } from '../records.js';
import { Apportionment } from './slots/apportion.js';
import { Growth } from './slots/growth.js';
import type { NameOptions } from './slots/names.js';
import { SlotFamily } from './slots/slots.js';

/** This long in all earns a name its own series. */
const earnedNanoseconds = 10_000_000;

interface Amounts {
  readonly count: number;
  readonly nanoseconds: number;
}

type VictimLabels = { readonly victim: string };

/** Takes what a tick added to one name. */
export type OnVictim = (row: Named, count: number, nanoseconds: number, at: number) => void;

export class VictimLedger {
  readonly total: { -readonly [Amount in keyof Amounts]: number } = { count: 0, nanoseconds: 0 };
  /** Totals: count, nanoseconds. */
  readonly victims: SlotFamily<VictimLabels>;
  readonly #onVictim: OnVictim;
  readonly #label: NameOptions['label'];
  readonly #growth = new Growth();
  readonly #names: Apportionment;

  /** @param onVictim told of every name, also of one without a slot */
  constructor({ slots, label, rowLimit }: NameOptions, onVictim: OnVictim = () => {}) {
    this.#onVictim = onVictim;
    this.#label = label;
    this.#names = new Apportionment(rowLimit);
    this.victims = new SlotFamily<VictimLabels>({
      slots,
      fold: () => ({ victim: '~other' }),
      earned: ([, nanoseconds = 0]) => nanoseconds >= earnedNanoseconds,
    });
    // `~other` is there from the start, so that its first amount shows as an increase.
    this.victims.addToOther({ victim: '' }, [0, 0], 0);
  }

  /** A new tracer counts from zero. */
  restart(): void {
    this.#growth.reset();
    this.#names.restart();
  }

  /** Takes what a tick says in all, and by name; both are cumulative. */
  apply(total: Amounts, rows: readonly (Named & Merged & Amounts)[], at: number): void {
    const countAdded = this.#growth.takeAll('count', total.count);
    const nanosecondsAdded = this.#growth.takeAll('ns', total.nanoseconds);
    this.total.count += countAdded;
    this.total.nanoseconds += nanosecondsAdded;
    const budget = [countAdded, nanosecondsAdded];
    const claims = rows.map((row) => ({
      row,
      key: `${row.cgroupId} ${row.name}`,
      rows: row.rows,
      values: [row.count, row.nanoseconds],
      budget,
    }));
    this.#names.share(claims, ({ row }, amounts) => {
      const [count = 0, nanoseconds = 0] = amounts;
      this.victims.add({ victim: this.#label(row.name, row.cgroupId) }, amounts, at);
      this.#onVictim(row, count, nanoseconds, at);
    });
    this.victims.addToOther({ victim: '' }, budget, at);
  }
}
