/**
 * Waits: bounded totals by mode and operation, the same by process name within slots, durations, and waits still
 * going on. The two ways of counting always agree: over all label sets, the waits by process are the bounded totals.
 */
import type { OngoingWait, Tick } from '../records.js';
import { type Mode, type Operation, waitPairs } from '../vocabulary.js';
import { addDurations, noDurations } from './durations.js';
import { ProcessList } from './lists/processes.js';
import { Apportionment } from './slots/apportion.js';
import { Growth } from './slots/growth.js';
import type { NameOptions } from './slots/names.js';
import { SlotFamily } from './slots/slots.js';

/** Waits blocked this long in all earn a name its own series. */
const earnedNanoseconds = 10_000_000;

export interface WaitTotal {
  readonly mode: Mode;
  readonly operation: Operation;
  count: number;
  nanoseconds: number;
}

/** Waits that one tick added, over all modes and operations. */
export interface WaitGrowth {
  readonly count: number;
  readonly nanoseconds: number;
}

/** Of each mode that many waits that go on are listed. */
const mostOngoing = 64;

type ProcessLabels = { readonly process: string; readonly mode: Mode };

const modes = ['read', 'write'] as const;

export class WaitLedger {
  readonly totals = new Map<string, WaitTotal>();
  /** Counts by mode and bucket: see durations.ts. */
  readonly durations = new Map<Mode, number[]>();
  readonly processes: SlotFamily<ProcessLabels>;
  readonly list = new ProcessList();
  /** The oldest, as many as are listed. */
  ongoing: readonly OngoingWait[] = [];
  readonly #label: NameOptions['label'];
  readonly #growth = new Growth();
  readonly #names: Apportionment;

  constructor({ slots, label, rowLimit }: NameOptions) {
    this.#label = label;
    this.#names = new Apportionment(rowLimit);
    this.processes = new SlotFamily<ProcessLabels>({
      slots,
      fold: ({ mode }) => ({ process: '~other', mode }),
      earned: ([, nanoseconds = 0]) => nanoseconds >= earnedNanoseconds,
    });
    for (const [mode, operation] of waitPairs) this.#total(mode, operation);
    for (const mode of modes) {
      this.durations.set(mode, noDurations());
      // `~other` is there from the start, so that its first amount shows as an increase.
      this.processes.addToOther({ process: '', mode }, [0, 0], 0);
    }
  }

  /** A new tracer counts from zero; what waited under the old one is not known any more. */
  restart(): void {
    this.#growth.reset();
    this.#names.restart();
    this.ongoing = [];
  }

  /** Takes a tick; gives what it added. */
  apply(tick: Tick): WaitGrowth {
    const grown = this.#applyTotals(tick);
    const added = {
      count: grown.read[0] + grown.write[0],
      nanoseconds: grown.read[1] + grown.write[1],
    };
    this.#applyProcesses(tick, grown);
    for (const { mode, buckets } of tick.durations)
      addDurations(this.durations.get(mode) as number[], this.#growth, mode, buckets);
    this.ongoing = modes.flatMap((mode) =>
      tick.ongoing
        .filter((wait) => wait.mode === mode)
        .toSorted((a, b) => b.seconds - a.seconds)
        .slice(0, mostOngoing),
    );
    return added;
  }

  /** Seconds of the longest wait still going on, 0 when nobody waits. */
  oldest(mode: Mode): number {
    return this.ongoing.reduce(
      (oldest, wait) => (wait.mode === mode ? Math.max(oldest, wait.seconds) : oldest),
      0,
    );
  }

  #total(mode: Mode, operation: Operation): WaitTotal {
    const key = `${mode} ${operation}`;
    const total = this.totals.get(key) ?? { mode, operation, count: 0, nanoseconds: 0 };
    this.totals.set(key, total);
    return total;
  }

  /** Counts and nanoseconds added, by mode. */
  #applyTotals({ waits }: Tick): Record<Mode, [count: number, nanoseconds: number]> {
    const grown: Record<Mode, [number, number]> = { read: [0, 0], write: [0, 0] };
    for (const { mode, operation, count, nanoseconds } of waits) {
      const total = this.#total(mode, operation);
      const countAdded = this.#growth.takeAll(`count ${mode} ${operation}`, count);
      const nanosecondsAdded = this.#growth.takeAll(`ns ${mode} ${operation}`, nanoseconds);
      total.count += countAdded;
      total.nanoseconds += nanosecondsAdded;
      grown[mode][0] += countAdded;
      grown[mode][1] += nanosecondsAdded;
    }
    return grown;
  }

  /** @param budgets what the totals of each mode have grown by; lowered by what names claim */
  #applyProcesses({ processes, at }: Tick, budgets: Record<Mode, number[]>): void {
    const claims = processes.map((row) => ({
      row,
      key: `${row.mode} ${row.cgroupId} ${row.name}`,
      rows: row.rows,
      values: [row.count, row.nanoseconds],
      budget: budgets[row.mode],
    }));
    this.#names.share(claims, ({ row }, amounts) => {
      const [count = 0, nanoseconds = 0] = amounts;
      const process = this.#label(row.name, row.cgroupId);
      this.processes.add({ process, mode: row.mode }, amounts, at);
      this.list.add(row, count, nanoseconds, at);
    });
    for (const mode of modes) this.processes.addToOther({ process: '', mode }, budgets[mode], at);
  }
}
