/** Whether giving something up would lower what probes cost: what costs nothing is not given up for what does. */
import type { ProbeCost } from './account.js';

/** What a step takes away, by the names of probes. */
export interface StepEffect {
  /** They are gone after it. */
  readonly gone: ReadonlySet<string>;
  /** They stay, and do less. */
  readonly lightened: ReadonlySet<string>;
}

/**
 * Nanoseconds of a run on average, under which a probe that stays is not made lighter: it runs for what is none of its
 * business, as the contention tracepoints do for spinlocks, and does not come as far as what others add to it.
 */
const runsForOthersNanoseconds = 300;

/** Of what all probes cost, a step must be able to take away this much. */
const leastShare = 0.1;

/** Unknown costs are taken for worth it. */
export const isWorthGivingUp = (probes: readonly ProbeCost[], { gone, lightened }: StepEffect): boolean => {
  const all = probes.reduce((sum, { ratio }) => sum + ratio, 0);
  if (all === 0) return true;
  const saved = probes
    .filter(
      ({ probe, ratio, runsPerSecond }) =>
        gone.has(probe) ||
        (lightened.has(probe) && (ratio * 1e9) / Math.max(1, runsPerSecond) >= runsForOthersNanoseconds),
    )
    .reduce((sum, { ratio }) => sum + ratio, 0);
  return saved >= leastShare * all;
};
