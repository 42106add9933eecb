import type { Clock } from '../../clock.js';

/**
 * Checks again and again. A check is told for how long (ms) this process itself stood still: ticks wait in the pipe. It
 * may name the time (ms) to the next one.
 * @returns what ends it
 */
export const each = (
  clock: Clock,
  milliseconds: number,
  check: (stoodStill: number) => number | undefined,
): (() => void) => {
  let cancel = (): void => {};
  const again = (wait: number): void => {
    const due = clock.monotonic() + wait;
    cancel = clock.after(wait, () => {
      const late = clock.monotonic() - due;
      again(check(late > 1000 ? late : 0) ?? milliseconds);
    });
  };
  again(milliseconds);
  return () => cancel();
};
