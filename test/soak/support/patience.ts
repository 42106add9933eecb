/** What the soak waits for: it may run beside emulated guests that take the CPUs for minutes, so it holds nothing to a speed. */
import type { Metrics, RunningDaemon } from '../../live/support/daemon.js';

/** Seconds after which something is taken not to come at all. */
export const patience = 300;

/** A daemon that does not give a tracer up for being slow. */
export const patientFlags: readonly string[] = [
  `--bpftrace.start-timeout-seconds=${patience}`,
  `--bpftrace.stall-restart-seconds=${patience}`,
];

/** All ticks that were under way when this is called have been counted. */
export const twoMoreTicks = async (daemon: RunningDaemon): Promise<Metrics> => {
  const newest = (metrics: Metrics): number => metrics.sum('mmaplock_last_tick_timestamp_seconds') ?? 0;
  const first = newest(await daemon.metrics());
  return daemon.until('two more ticks', (now) => newest(now) > first + 1.5, patience);
};
