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
/** Collections that follow each other are no independent points: garbage that one leaves the next leaves, too. */
const independentSeconds = 30;

/** One sample; of the tracer none where it is being started: it has few descriptors then, and much memory. */
export const sample = async (daemon: RunningDaemon, at: number): Promise<Sample> => {
  const observes = async (): Promise<boolean> => (await daemon.metrics()).sum('mmaplock_tracer_up') === 1;
  const pid = (await observes()) ? await daemon.tracerPid().catch(() => undefined) : undefined;
  const tracer = pid === undefined ? undefined : await resourcesOf(pid).catch(() => undefined);
  const stillDoes = await observes();
  return { at, daemon: await resourcesOf(daemon.pid), tracer: stillDoes ? tracer : undefined };
};

const pointsOf = (samples: readonly Sample[], who: 'daemon' | 'tracer', what: keyof Resources): Point[] =>
  samples.flatMap(({ at, [who]: resources }) =>
    resources === undefined ? [] : [{ at, value: resources[what] }],
  );

/** Bytes over seconds as a line in words, with its slope in MiB an hour. */
const slopeOf = (what: string, points: readonly Point[]) => {
  const [first, last] = [points[0], points.at(-1)];
  assert.ok(
    first !== undefined && last !== undefined && points.length >= 4,
    `${what}: ${points.length} points`,
  );
  const { slope, low, high } = theilSen(points);
  const perHour = (bytes: number): number => (bytes * 3600) / mib;
  const hourly = { slope: perHour(slope), low: perHour(low), high: perHour(high) };
  const seconds = last.at - first.at;
  const words =
    `slope of ${what}: ${hourly.slope.toFixed(2)} MiB an hour (95 %: ${hourly.low.toFixed(2)} to ` +
    `${hourly.high.toFixed(2)}), ${(24 * hourly.slope).toFixed(2)} a day, over ${Math.round(seconds)} s; ` +
    `${(first.value / mib).toFixed(1)} MiB first, ${(last.value / mib).toFixed(1)} last`;
  return { ...hourly, risen: (slope * seconds) / mib, words };
};

interface Verdict {
  /** Undefined: it is told, and not judged. */
  readonly most: number | undefined;
  readonly say: (line: string) => void;
}

const tooShort = 'too short to be judged';

/** It rises by no more than so many MiB in all the time that is looked at. */
export const assertRisesLittle = (what: string, points: readonly Point[], { most, say }: Verdict): void => {
  const { risen, words } = slopeOf(what, points);
  const line = `${words}; ${most === undefined ? tooShort : `${risen.toFixed(2)} MiB risen, limit ${most}`}`;
  say(line);
  assert.ok(most === undefined || risen <= most, line);
};

/**
 * It does not rise, as far as can be told: 95 % of the lines through the least of each half minute may be level, or rise
 * by no more than so many MiB an hour.
 */
export const assertLevel = (what: string, points: readonly Point[], { most, say }: Verdict): void => {
  const seconds = (points.at(-1)?.at ?? 0) - (points[0]?.at ?? 0);
  const { low, high, words } = slopeOf(what, lowest(points, Math.min(independentSeconds, seconds / 20)));
  const line = `${words}; ${most === undefined ? tooShort : `limit: down to 0, or up to ${most} an hour`}`;
  say(line);
  assert.ok(most === undefined || low <= 0 || high <= most, line);
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
