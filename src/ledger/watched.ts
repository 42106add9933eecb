/**
 * Victims by the names that the operator gave, to be paged for: the longest wait of each that still goes on, and for how
 * much of the wall time its writers stood behind readers. Processes of one name add up; no other name is kept.
 */
import type { OngoingWait, Tick, VictimBlockedRow } from '../records.js';
import { Growth } from './slots/growth.js';
import type { NameOptions } from './slots/names.js';

export interface WatchedOptions {
  /** As labels show them. */
  readonly names: readonly string[];
  /** What labels show for a process that waits now; undefined where it is gone. Where left out, pids tell nobody. */
  readonly labelOfPid?: ((pid: number) => string | undefined) | undefined;
}

export class WatchedLedger {
  /** Nanoseconds of every name, from 0. */
  readonly blocked: ReadonlyMap<string, number>;
  readonly #blocked: Map<string, number>;
  #oldest: ReadonlyMap<string, number>;
  readonly #labelOfPid: WatchedOptions['labelOfPid'];
  readonly #label: NameOptions['label'];
  readonly #growth = new Growth();

  constructor({ names, labelOfPid }: WatchedOptions, label: NameOptions['label']) {
    this.#blocked = new Map(names.map((name) => [name, 0]));
    this.blocked = this.#blocked;
    this.#oldest = this.#nobody();
    this.#labelOfPid = labelOfPid;
    this.#label = label;
  }

  /** Seconds of every name, 0 where none of it waits; undefined where pids tell nobody. */
  get oldest(): ReadonlyMap<string, number> | undefined {
    return this.#labelOfPid === undefined ? undefined : this.#oldest;
  }

  /** A new tracer counts from zero; what waited under the old one is not known any more. */
  restart(): void {
    this.#growth.reset();
    this.stopped();
  }

  /** No tracer tells what still waits. */
  stopped(): void {
    this.#oldest = this.#nobody();
  }

  apply({ ongoing, victimsBlocked }: Pick<Tick, 'ongoing' | 'victimsBlocked'>): void {
    if (this.#blocked.size === 0) return;
    this.#oldest = this.#oldestOf(ongoing);
    for (const row of victimsBlocked) this.#add(row);
  }

  #nobody(): Map<string, number> {
    return new Map(Array.from(this.#blocked.keys(), (name) => [name, 0]));
  }

  /** Asks for each process once, and for none once all names were found. */
  #oldestOf(ongoing: readonly OngoingWait[]): Map<string, number> {
    const oldest = this.#nobody();
    const missing = new Set(oldest.keys());
    const asked = new Set<number>();
    for (const { pid, seconds } of ongoing.toSorted((a, b) => b.seconds - a.seconds)) {
      if (missing.size === 0) break;
      if (asked.has(pid)) continue;
      asked.add(pid);
      const name = this.#labelOfPid?.(pid);
      if (name !== undefined && missing.delete(name)) oldest.set(name, seconds);
    }
    return oldest;
  }

  #add({ name, cgroupId, nanoseconds }: VictimBlockedRow): void {
    const label = this.#label(name, cgroupId);
    const total = this.#blocked.get(label);
    if (total === undefined) return;
    this.#blocked.set(label, total + this.#growth.takeAll(`${cgroupId} ${name}`, nanoseconds));
  }
}
