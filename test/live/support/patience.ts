/** How long a test waits for what must come. A missed deadline fails; a time that is the verdict: test/support/timing.ts. */
import { setTimeout as sleep } from 'node:timers/promises';

/** How many times slower than a reference this machine is: set by who runs the tests. */
export const slowness = Number(process.env.TEST_SLOWNESS ?? 1);

/** Milliseconds of a deadline that no healthy machine of that slowness comes near. */
export const patience = (seconds: number): number => Math.round(seconds * 1000 * slowness);

/**
 * Looks until it finds something.
 * @throws Error after so many seconds of patience
 */
export const eventually = async <T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  seconds = 20,
): Promise<T> => {
  for (const deadline = Date.now() + patience(seconds); ; ) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`not within ${seconds * slowness} s: ${what}`);
    await sleep(20);
  }
};
