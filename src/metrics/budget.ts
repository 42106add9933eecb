/** What the probes cost those they trace, and what was given up to keep to the budget. */
import { type Observable, type ShedStep, shedBy, shedSteps } from '../vocabulary.js';
import type { Family } from './family.js';

export interface BudgetSources {
  readonly cost: () => ProbeCostTotals;
  /** Given up now. */
  readonly shed: () => readonly ShedStep[];
}

/** What probes have cost so far, over all tracers. */
export interface ProbeCostTotals {
  /** Undefined where it is not measured. */
  readonly probeRunSeconds: number | undefined;
  /** Share of one core, in the last sample. */
  readonly probeCostRatio: number | undefined;
}

/** All that `mmaplock_shed` can tell of: each is there from the first scrape. */
export const shedObservables: readonly Observable[] = shedSteps.flatMap((step) => shedBy[step]);

export const budgetFamilies = ({ cost, shed }: BudgetSources): Family[] => {
  const present = (value: number | undefined) => (value === undefined ? [] : [{ value }]);
  return [
    {
      name: 'mmaplock_probe_run_seconds_total',
      help:
        'CPU time that probes took from what they trace, by the statistics of the kernel: an estimate, from samples of ' +
        '1 s. What it costs to get into a probe is not in it. Absent where it is not measured.',
      type: 'counter',
      samples: () => present(cost().probeRunSeconds),
    },
    {
      name: 'mmaplock_probe_cost_ratio',
      help:
        'The same in the last sample, as a share of one core: what cost.budget_percent is held against. Absent while ' +
        'there is no sample of the probes that run.',
      type: 'gauge',
      samples: () => present(cost().probeCostRatio),
    },
    {
      name: 'mmaplock_shed',
      help: 'Whether this was given up, for a time, because the probes cost more than their budget: 1 or 0.',
      type: 'gauge',
      samples: () => {
        const gone = new Set(shed().flatMap((step) => shedBy[step]));
        return shedObservables.map((what) => ({ labels: { what }, value: gone.has(what) ? 1 : 0 }));
      },
    },
  ];
};
