/**
 * VMA waits: writers that hold an mmap_lock already and sleep until the readers of one VMA let go of it. One total, and
 * the same by name within slots, which always agree. No waits are among them.
 */
import type { Tick, VmaWaits } from '../records.js';
import { Apportionment } from './apportion.js';
import { Growth } from './growth.js';
import type { NameOptions } from './names.js';
import type { ProcessList } from './processes.js';
import { SlotFamily } from './slots.js';

/** VMA waits this long in all earn a name its own series. */
const earnedNanoseconds = 10_000_000;

type VictimLabels = { readonly victim: string };

export class VmaWaitLedger {
  readonly total: { -readonly [Amount in keyof VmaWaits]: number } = { count: 0, nanoseconds: 0 };
  /** Totals: count, nanoseconds. */
  readonly victims: SlotFamily<VictimLabels>;
  readonly #list: ProcessList;
  readonly #label: NameOptions['label'];
  readonly #growth = new Growth();
  readonly #names: Apportionment;

  /** @param list where they are told by name and cgroup, beside the waits of the same processes */
  constructor({ slots, label, rowLimit }: NameOptions, list: ProcessList) {
    this.#list = list;
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

  apply({ vmaWaits, victimVmaWaits, at }: Tick): void {
    const countAdded = this.#growth.takeAll('count', vmaWaits.count);
    const nanosecondsAdded = this.#growth.takeAll('ns', vmaWaits.nanoseconds);
    this.total.count += countAdded;
    this.total.nanoseconds += nanosecondsAdded;
    const budget = [countAdded, nanosecondsAdded];
    const claims = victimVmaWaits.map((row) => ({
      row,
      key: `${row.cgroupId} ${row.name}`,
      values: [row.count, row.nanoseconds],
      budget,
    }));
    this.#names.share(claims, ({ row }, amounts) => {
      const [count = 0, nanoseconds = 0] = amounts;
      this.victims.add({ victim: this.#label(row.name, row.cgroupId) }, amounts, at);
      this.#list.addVmaWaits(row, count, nanoseconds, at);
    });
    this.victims.addToOther({ victim: '' }, budget, at);
  }
}
