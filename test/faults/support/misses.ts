/** What the daemon says the kernel did not let its probes see. */
import type { Metrics } from '../../live/support/daemon.js';

/**
 * Runs of the probes that see opens and reads, which the kernel skipped because they would have recursed. What they
 * would have counted is missing, and no more than that.
 */
export const missedReads = (metrics: Metrics): number =>
  metrics
    .all('mmaplock_probe_misses_total')
    .filter(({ labels }) => labels.probe?.includes('sys_exit_'))
    .reduce((sum, { value }) => sum + value, 0);
