/** Durations as counts by bucket: index i is [2^(i+3), 2^(i+4)) microseconds, from 0 in the first, without end in the last. */
import type { Growth } from './slots/growth.js';

/** By upper bound: bucket i counts those below 2^(i + firstExponent) microseconds. */
export const durationBuckets = { firstExponent: 4, lastExponent: 27 } as const;

export const noDurations = (): number[] =>
  Array(durationBuckets.lastExponent - durationBuckets.firstExponent + 2).fill(0);

/**
 * Adds what has grown of a tracer's buckets.
 * @param of what these are the durations of: its own keys in `growth`
 */
export const addDurations = (
  counts: number[],
  growth: Growth,
  of: string,
  buckets: readonly { readonly floorMicroseconds: number; readonly count: number }[],
): void => {
  for (const { floorMicroseconds, count } of buckets) {
    const index = bucketIndex(floorMicroseconds);
    counts[index] = (counts[index] ?? 0) + growth.takeAll(`duration ${of} ${floorMicroseconds}`, count);
  }
};

const bucketIndex = (floorMicroseconds: number): number => {
  const { firstExponent, lastExponent } = durationBuckets;
  if (floorMicroseconds < 2 ** firstExponent) return 0;
  return Math.min(
    Math.floor(Math.log2(floorMicroseconds)) - firstExponent + 1,
    lastExponent - firstExponent + 1,
  );
};
