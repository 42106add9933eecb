/**
 * Waits: bounded totals by mode and operation, the same by process name within slots, durations, and waits still
 * going on. The two ways of counting always agree: over all label sets, the waits by process are the bounded totals.
 */
import type { OngoingWait, ProcessWaitRow, Tick, WaitRow } from '../records.js';
import { type Mode, type Operation, waitPairs } from '../vocabulary.js';
import { Growth } from './growth.js';
import { ProcessList } from './processes.js';
import { SlotFamily } from './slots.js';

/** Waits blocked this long in all earn a name its own series. */
const earnedNanoseconds = 10_000_000;

export interface WaitTotal {
  readonly mode: Mode;
  readonly operation: Operation;
  count: number;
  nanoseconds: number;
}

/** Durations of ended waits, by upper bound: bucket i counts those below 2^(i + firstExponent) microseconds. */
export const durationBuckets = { firstExponent: 4, lastExponent: 27 } as const;

type ProcessLabels = { readonly process: string; readonly mode: Mode };

export interface WaitOptions {
  /** Label sets of (process, mode) exposed at most. */
  readonly slots: number;
  /** What the `process` label holds, from name and cgroup id. */
  readonly label: (name: string, cgroupId: string) => string;
  /** Rows of processes a tick carries at most: as many mean that some were left out. */
  readonly rowLimit: number;
}

export class WaitLedger {
  readonly totals = new Map<string, WaitTotal>();
  /** Counts by mode: index i is [2^(i+3), 2^(i+4)) microseconds, from 0 in the first, without end in the last. */
  readonly durations = new Map<Mode, number[]>();
  readonly processes: SlotFamily<ProcessLabels>;
  readonly list = new ProcessList();
  ongoing: readonly OngoingWait[] = [];
  readonly #options: WaitOptions;
  readonly #growth = new Growth();
  readonly #attributed = new Map<Mode, { count: number; nanoseconds: number }>();
  #rowsWereLeftOut = false;

  constructor(options: WaitOptions) {
    this.#options = options;
    this.processes = new SlotFamily<ProcessLabels>({
      slots: options.slots,
      fold: ({ mode }) => ({ process: '~other', mode }),
      earned: ([, nanoseconds = 0]) => nanoseconds >= earnedNanoseconds,
    });
    for (const [mode, operation] of waitPairs) this.#total(mode, operation);
    for (const mode of ['read', 'write'] as const) {
      this.durations.set(
        mode,
        Array(durationBuckets.lastExponent - durationBuckets.firstExponent + 2).fill(0),
      );
      this.#attributed.set(mode, { count: 0, nanoseconds: 0 });
      // `~other` is there from the start, so that its first amount shows as an increase.
      this.processes.addToOther({ process: '', mode }, [0, 0], 0);
    }
  }

  /** A new tracer counts from zero; what waited under the old one is not known any more. */
  restart(): void {
    this.#growth.reset();
    this.#rowsWereLeftOut = false;
    this.ongoing = [];
  }

  /** Takes a tick; gives how many waits it added. */
  apply(tick: Tick): number {
    const added = tick.waits.reduce((sum, row) => sum + this.#applyTotal(row), 0);
    for (const mode of ['read', 'write'] as const)
      this.#applyProcesses(
        mode,
        tick.processes.filter((row) => row.mode === mode),
        tick.at,
      );
    this.#rowsWereLeftOut ||= tick.processes.length >= this.#options.rowLimit;
    for (const { mode, buckets } of tick.durations) {
      const counts = this.durations.get(mode) as number[];
      for (const { floorMicroseconds, count } of buckets) {
        const index = bucketIndex(floorMicroseconds);
        counts[index] =
          (counts[index] ?? 0) + this.#growth.takeAll(`duration ${mode} ${floorMicroseconds}`, count);
      }
    }
    this.ongoing = tick.ongoing;
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

  #applyTotal({ mode, operation, count, nanoseconds }: WaitRow): number {
    const total = this.#total(mode, operation);
    const added = this.#growth.takeAll(`count ${mode} ${operation}`, count);
    total.count += added;
    total.nanoseconds += this.#growth.takeAll(`ns ${mode} ${operation}`, nanoseconds);
    return added;
  }

  /**
   * Gives the growth of the bounded totals to names. The tracer updates names first and totals last, and is read the
   * other way round, so names can only be ahead: what is ahead waits for the next tick. What no name claims was lost
   * to a full map, and goes to `~other`.
   */
  #applyProcesses(mode: Mode, rows: readonly ProcessWaitRow[], at: number): void {
    const attributed = this.#attributed.get(mode) as { count: number; nanoseconds: number };
    let count = -attributed.count;
    let nanoseconds = -attributed.nanoseconds;
    for (const total of this.totals.values()) {
      if (total.mode !== mode) continue;
      count += total.count;
      nanoseconds += total.nanoseconds;
    }
    attributed.count += count;
    attributed.nanoseconds += nanoseconds;

    for (const row of rows) {
      const key = `${mode} ${row.cgroupId} ${row.name}`;
      if (this.#rowsWereLeftOut && !this.#growth.has(`pc ${key}`)) {
        // Part of it went to `~other` while its row was left out: only what comes from now on is its own.
        this.#growth.take(`pc ${key}`, row.count);
        this.#growth.take(`pn ${key}`, row.nanoseconds);
        continue;
      }
      const countGiven = Math.min(count, this.#growth.pending(`pc ${key}`, row.count));
      const nanosecondsGiven = Math.min(nanoseconds, this.#growth.pending(`pn ${key}`, row.nanoseconds));
      if (countGiven === 0 && nanosecondsGiven === 0) continue;
      count -= countGiven;
      nanoseconds -= nanosecondsGiven;
      this.#growth.take(`pc ${key}`, countGiven);
      this.#growth.take(`pn ${key}`, nanosecondsGiven);
      const process = this.#options.label(row.name, row.cgroupId);
      this.processes.add({ process, mode }, [countGiven, nanosecondsGiven], at);
      this.list.add(row, countGiven, nanosecondsGiven, at);
    }
    if (count > 0 || nanoseconds > 0)
      this.processes.addToOther({ process: '', mode }, [count, nanoseconds], at);
  }
}

const bucketIndex = (floorMicroseconds: number): number => {
  const { firstExponent, lastExponent } = durationBuckets;
  if (floorMicroseconds < 2 ** firstExponent) return 0;
  return Math.min(
    Math.floor(Math.log2(floorMicroseconds)) - firstExponent + 1,
    lastExponent - firstExponent + 1,
  );
};
