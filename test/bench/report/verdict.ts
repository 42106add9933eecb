/** Holds results against the goals. */

import type { Results } from '../results.js';
import { type Goal, goals, type Measure } from './goals.js';

export interface Verdict {
  readonly goal: Goal;
  readonly place: string;
  /** Undefined where it was not measured. */
  readonly measure: Measure | undefined;
  readonly met: boolean;
  /** The stretch is reached, too; false where there is none. */
  readonly stretched: boolean;
  /** By how much it is missed, in its unit; 0 where it is met. */
  readonly missedBy: number;
  /** The limit lies between the quartiles: another run could say otherwise. */
  readonly close: boolean;
}

const judge = (goal: Goal, results: Results): Verdict => {
  const measure = goal.measure(results);
  const place = results.place.name;
  if (measure === undefined)
    return { goal, place, measure, met: false, stretched: false, missedBy: 0, close: false };
  const { median, lower, upper } = measure.spread;
  const overBy = (limit: number): number => (goal.bound === 'at most' ? median - limit : limit - median);
  const over = overBy(goal.limit);
  return {
    goal,
    place,
    measure,
    met: over <= 0,
    stretched: goal.stretch !== undefined && overBy(goal.stretch) <= 0,
    missedBy: Math.max(over, 0),
    close: lower < goal.limit && goal.limit < upper,
  };
};

/** Goals of a host are for the results of one, goals of a guest for each guest. */
export const verdictsOf = (all: readonly Results[]): Verdict[] =>
  goals.flatMap((goal) =>
    all
      .filter(({ place }) => (place.name === 'host') === (goal.on === 'host'))
      .map((results) => judge(goal, results)),
  );
