/**
 * How long properties look for a counterexample. Each run of the suites tries other cases, so that runs add up; what is
 * usual takes about a second on a slow machine, and `TEST_DEPTH=10` tries ten times as many cases.
 */

const depthOf = (text: string): number => {
  const depth = Number(text);
  if (!(depth > 0)) throw new Error(`TEST_DEPTH is ${text}, and should be a number above 0`);
  return depth;
};

export const depth = depthOf(process.env.TEST_DEPTH ?? '1');

/** How many cases to try where so many are usual. */
export const cases = (usual: number): number => Math.ceil(usual * depth);
