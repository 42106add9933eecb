/** What the daemon and its tracer hold, over a time, and what is asked of that. */
import assert from 'node:assert/strict';
import { type Resources, resourcesOf } from '../../faults/support/resources.js';
import type { RunningDaemon } from '../../live/support/daemon.js';
import { lowest, type Point, theilSen } from '../../support/slope.js';

export interface Sample {
  /** Seconds since the begin. */
  readonly at: number;
  readonly daemon: Resources;
  readonly tracer: Resources | undefined;
}

const mib = 1024 * 1024;
const spanSeconds = 10;

/** One sample; of the tracer none where it is being started again. */
export const sample = async (daemon: RunningDaemon, at: number): Promise<Sample> => ({
  at,
  daemon: await resourcesOf(daemon.pid),
  tracer: await daemon
    .tracerPid()
    .then(resourcesOf)
    .catch(() => undefined),
});

const pointsOf = (samples: readonly Sample[], who: 'daemon' | 'tracer', what: keyof Resources): Point[] =>
  samples.flatMap(({ at, [who]: resources }) =>
    resources === undefined ? [] : [{ at, value: resources[what] }],
  );

/**
 * The line through what something takes, in bytes.
 * @param mostRise MiB that it may rise in all the time that is looked at; undefined: it is told, and not judged
 */
export const assertFlat = (
  what: string,
  points: readonly Point[],
  mostRise: number | undefined,
  say: (line: string) => void,
): void => {
  const [first, last] = [points[0], points.at(-1)];
  assert.ok(
    first !== undefined && last !== undefined && points.length >= 4,
    `${what}: ${points.length} points`,
  );
  const { slope, low, high } = theilSen(points);
  const seconds = last.at - first.at;
  const perHour = (bytes: number): string => ((bytes * 3600) / mib).toFixed(2);
  const limit =
    mostRise === undefined
      ? 'too short to be judged'
      : `limit ${perHour((mostRise * mib) / seconds)} an hour`;
  const line =
    `slope of ${what}: ${perHour(slope)} MiB an hour (95 %: ${perHour(low)} to ${perHour(high)}), ` +
    `${perHour(slope * 24)} a day, over ${Math.round(seconds)} s; ` +
    `${(first.value / mib).toFixed(1)} MiB first, ${(last.value / mib).toFixed(1)} last; ${limit}`;
  say(line);
  assert.ok(mostRise === undefined || (slope * seconds) / mib <= mostRise, line);
};

/** Resident memory; of each 10 s the least, for garbage is collected more often than that. */
export const residentOf = (samples: readonly Sample[], who: 'daemon' | 'tracer'): Point[] =>
  lowest(pointsOf(samples, who, 'residentBytes'), spanSeconds);

/** Descriptors and threads: the least of the last quarter is not over that of the first, but for `more`. */
export const assertNoMore = (
  samples: readonly Sample[],
  who: 'daemon' | 'tracer',
  what: 'descriptors' | 'threads',
  more: number,
  say: (line: string) => void,
): void => {
  const values = pointsOf(samples, who, what).map(({ value }) => value);
  const quarter = Math.ceil(values.length / 4);
  const [first, last] = [Math.min(...values.slice(0, quarter)), Math.min(...values.slice(-quarter))];
  const line = `${what} of the ${who}: ${first} first, ${last} last`;
  say(line);
  assert.ok(last <= first + more, line);
};
