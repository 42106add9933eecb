/** Moments nobody chose, and the same again for the same seed. */

/** The seed of this run: `FAULTS_SEED`, else another one each time. A test prints it. */
export const seedOfRun = (): number => Number(process.env.FAULTS_SEED ?? Date.now() % 1_000_000);

/** Numbers from 0 up to, but not including, 1 (Marsaglia's xorshift with 32 bits). */
export const randomNumbers = (seed: number): (() => number) => {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
};

/** The middle one, or the mean of the two. */
export const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2;
};
