/**
 * How long a start of bpftrace may take on this host. No fixed time fits both a fast one and an emulated guest or a host
 * without CPU to spare: what counts is how long the smallest program took here, which is the canary of dialect.ts.
 */
import type { Dialect } from '../decode/dialect.js';

/** The canary takes 0.3 to 0.9 s on two CPUs (Linux 6.18, bpftrace 0.17 to 0.27): so long is usual. */
const usualMilliseconds = 1000;

/** Beyond that a start is hopeless, unless who configured it thinks otherwise. */
export const longestStartSeconds = 600;

/**
 * Seconds.
 * @param configured what it may take on a host where the canary takes no longer than usual
 * @param dialect undefined where the canary has not run yet
 * @param late how many starts in a row were not ready in time: the host may have less CPU than when the canary ran
 */
export const startLimitSeconds = (
  configured: number,
  dialect: Pick<Dialect, 'startMilliseconds'> | undefined,
  late = 0,
): number => {
  const slowness = Math.max(1, (dialect?.startMilliseconds ?? 0) / usualMilliseconds);
  return Math.max(configured, Math.min(longestStartSeconds, configured * slowness * 2 ** late));
};
