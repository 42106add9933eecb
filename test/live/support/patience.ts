/** How long a test waits for what must come. A missed deadline fails; a time that is the verdict: test/support/timing.ts. */
import { setTimeout as sleep } from 'node:timers/promises';

/** How many times slower than a reference this machine is: set by who runs the tests. */
export const slowness = Number(process.env.TEST_SLOWNESS ?? 1);

/** Milliseconds of a deadline that no healthy machine of that slowness comes near. */
export const patience = (seconds: number): number => Math.round(seconds * 1000 * slowness);

const step = 250;

/**
 * A deadline in time that this process ran: a machine that stands still for a minute, as one in a cloud may, spends a
 * quarter of a second of it.
 */
const startDeadline = (seconds: number): { readonly signal: AbortSignal; readonly end: () => void } => {
  const over = new AbortController();
  let left = patience(seconds);
  const timer = setInterval(() => {
    left -= step;
    if (left <= 0) over.abort(new Error(`not within ${seconds * slowness} s`));
  }, step);
  return { signal: over.signal, end: () => clearInterval(timer) };
};

/** Does something that heeds a signal; that is given after so many seconds of patience. */
export const within = async <T>(seconds: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const { signal, end } = startDeadline(seconds);
  try {
    return await work(signal);
  } finally {
    end();
  }
};

/**
 * Looks until it finds something.
 * @throws Error after so many seconds of patience, with what `seen` says then
 */
export const eventually = <T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  seconds = 20,
  { every = 20, seen = () => '' }: { every?: number; seen?: () => string } = {},
): Promise<T> =>
  within(seconds, async (over) => {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (over.aborted) throw new Error(`not within ${seconds * slowness} s: ${what}${seen()}`);
      await sleep(every);
    }
  });
