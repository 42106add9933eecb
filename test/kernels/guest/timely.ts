/** Times and ratios in a guest: what test/support/timing.ts lists may be tried again. */
import { AssertionError } from 'node:assert';
import { type TriedAgain, upToThreeTimes } from '../../support/timing.js';
import { check, note } from './report.js';

/** One check. The attempt calls assertTimely(); each miss is a remark, and counted by the host. */
export const timely = async (test: TriedAgain, attempt: () => Promise<void>): Promise<void> => {
  try {
    await upToThreeTimes({ diagnostic: note }, test, attempt);
    check(test, true);
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    check(test, false, error.message);
  }
};
