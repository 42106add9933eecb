/** When probes have cost too much for too long, and when what was given up may come back. No clock, no I/O. */
import type { ShedStep } from '../vocabulary.js';

export interface BudgetSettings {
  /** Share of one core that probes may take; 0: no limit. */
  readonly ratio: number;
  /** How long each sample must be over it before something is given up. */
  readonly overMilliseconds: number;
  /** How long each sample must be under half of it before something comes back. */
  readonly quietMilliseconds: number;
}

/** So many CPUs have a budget of one core's share; more of them have more, for more goes on that probes see. */
const cpusOfOneShare = 8;

/** What probes may take on a host, as a share of one core. */
export const budgetRatio = (percent: number, cpus: number): number =>
  (percent / 100) * Math.max(1, cpus / cpusOfOneShare);

/** What probes cost at a moment. */
export interface CostPoint {
  /** Milliseconds of a clock that never goes back. */
  readonly at: number;
  /** Share of one core. */
  readonly ratio: number;
}

export interface BudgetChange {
  readonly kind: 'shed' | 'unshed';
  readonly step: ShedStep;
  /** For how long the samples were over the budget, or under half of it. */
  readonly lastedMilliseconds: number;
}

/** The longest quiet time that is asked for: once a shift, at least, it is tried again. */
export const longestQuietMilliseconds = 4 * 3600 * 1000;

/** A burst that two samples happen to meet is no lasting cost. */
const fewestSamples = 3;

/** Samples that all say the same. */
interface Streak {
  readonly since: number;
  samples: number;
}

export class Budget {
  readonly #settings: BudgetSettings;
  readonly #shed: ShedStep[] = [];
  #over: Streak | undefined;
  #quiet: Streak | undefined;
  #quietMilliseconds: number;
  #returnedAt: number | undefined;
  #exceeded = false;

  constructor(settings: BudgetSettings) {
    this.#settings = settings;
    this.#quietMilliseconds = settings.quietMilliseconds;
  }

  /** Given up so far, in the order in which it was. */
  get shed(): readonly ShedStep[] {
    return this.#shed;
  }

  /** The last sample was over the budget: look more often. */
  get over(): boolean {
    return this.#over !== undefined;
  }

  /** The probes cost more than their budget, and nothing is left to give up. */
  get exceeded(): boolean {
    return this.#exceeded;
  }

  /** How long it must be quiet before the next step comes back. */
  get quietMilliseconds(): number {
    return this.#quietMilliseconds;
  }

  /** With this sample it is over the budget for long enough: {@link take} gives something up, if there is something. */
  isDue(point: CostPoint): boolean {
    const { ratio } = this.#settings;
    return ratio !== 0 && point.ratio > ratio && this.#isLong(longer(this.#over, point), point);
  }

  /**
   * Takes one sample.
   * @param sheddable what can be given up on this host, in this order
   * @returns what is to be given up, or comes back, if so; it counts as done
   */
  take(point: CostPoint, sheddable: readonly ShedStep[]): BudgetChange | undefined {
    const { ratio } = this.#settings;
    if (ratio === 0) return undefined;
    this.#over = point.ratio > ratio ? longer(this.#over, point) : undefined;
    this.#quiet = point.ratio < ratio / 2 ? longer(this.#quiet, point) : undefined;
    return this.#shedOne(point, sheddable) ?? this.#returnOne(point);
  }

  #shedOne({ at }: CostPoint, sheddable: readonly ShedStep[]): BudgetChange | undefined {
    const over = this.#over;
    const isDue = over !== undefined && this.#isLong(over, { at });
    const step = isDue ? sheddable.find((one) => !this.#shed.includes(one)) : undefined;
    this.#exceeded = isDue && step === undefined;
    if (over === undefined || step === undefined) return undefined;
    // What came back and goes again waits longer the next time; after a long good time all is as at first.
    const relapsed = this.#returnedAt !== undefined && at - this.#returnedAt < longestQuietMilliseconds;
    if (this.#returnedAt !== undefined)
      this.#quietMilliseconds = relapsed
        ? Math.max(
            this.#settings.quietMilliseconds,
            Math.min(2 * this.#quietMilliseconds, longestQuietMilliseconds),
          )
        : this.#settings.quietMilliseconds;
    this.#returnedAt = undefined;
    this.#shed.push(step);
    this.#over = undefined;
    return { kind: 'shed', step, lastedMilliseconds: at - over.since };
  }

  #isLong(over: Streak, { at }: Pick<CostPoint, 'at'>): boolean {
    return over.samples >= fewestSamples && at - over.since >= this.#settings.overMilliseconds;
  }

  #returnOne({ at }: CostPoint): BudgetChange | undefined {
    const quiet = this.#quiet;
    if (quiet === undefined || quiet.samples < fewestSamples) return undefined;
    if (at - quiet.since < this.#quietMilliseconds) return undefined;
    const step = this.#shed.pop();
    if (step === undefined) return undefined;
    this.#returnedAt = at;
    this.#quiet = undefined;
    return { kind: 'unshed', step, lastedMilliseconds: at - quiet.since };
  }
}

const longer = (streak: Streak | undefined, { at }: CostPoint): Streak => ({
  since: streak?.since ?? at,
  samples: (streak?.samples ?? 0) + 1,
});
