/**
 * Verdicts on times, rates and ratios. They depend on what else this machine does, so each is held against a control of
 * the same run; where a control does not take all of that out, the test is tried up to three times. An exact count is
 * never tried again, and neither is anything that is not listed here.
 */
import { AssertionError } from 'node:assert';
import type { TestContext } from 'node:test';

/** The tests that may be tried again, each with the figure that other work of the machine can spoil. */
export const triedAgain = {
  BTF: 'times as long to parse and index the BTF of this kernel as to read it',
  'damaged BTF': 'times as long with damaged BTF as with what it was made from',
  kallsyms: 'times as long to find symbols as to read /proc/kallsyms',
  'kernel profile': 'times as long to make a profile of this host as to read its files',
  light: 'CPU time of the daemon, as a multiple of what a reference takes in the same span',
  'ten-pages': 'the same, while ten pages look on',
  scrape: 'a scrape, as a multiple of one of a bare server',
  'killed-daemon': 'the time in which all processes of a killed daemon are gone',
} as const satisfies Readonly<Record<string, string>>;

export type TriedAgain = keyof typeof triedAgain;

const attempts = 3;

/** deploy/bootstrap/test-events.mjs counts the diagnostics that begin so. */
const mark = 'retried: ';

/** A time, a rate or a ratio that was missed: the one failure after which a test is tried again. */
class Mistimed extends AssertionError {}

/**
 * Fails as a missed time, which is tried again within `upToThreeTimes`, and is an ordinary failure elsewhere.
 * @param message the figure, its control and the limit
 */
export const assertTimely: (holds: boolean, message: string) => asserts holds = (holds, message) => {
  if (!holds) throw new Mistimed({ message, actual: holds, expected: true, operator: '==' });
};

/**
 * Runs an attempt until it misses no time, three times at most. Each miss is printed and counted.
 * @throws what the last attempt threw; what is no missed time, at once
 */
export const upToThreeTimes = async <Result>(
  context: TestContext,
  test: TriedAgain,
  attempt: () => Promise<Result>,
): Promise<Result> => {
  for (let number = 1; ; number += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Mistimed) || number === attempts) throw error;
      context.diagnostic(`${mark}${test}, attempt ${number} of ${attempts}: ${error.message}`);
    }
  }
};
