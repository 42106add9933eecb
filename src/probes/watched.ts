/** Whether what is told of watched victims alone is told here. */
import type { ProbePlan } from './plan.js';

/** The fragment that tells for how long writers were blocked, by name. */
export const watchedFragment = 'victim-blocked-time';

export const tellsBlockedByName = ({ chosen }: Pick<ProbePlan, 'chosen'>): boolean =>
  chosen.some(({ fragment }) => fragment.name === watchedFragment);
