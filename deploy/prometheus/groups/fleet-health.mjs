/** What somebody looks at on a working day: the observation itself, for each cluster and never for one host. */
import { alert, ofCluster, percent } from './alert.mjs';

/** @param {import('../thresholds.mjs').Thresholds} thresholds */
export const fleetHealth = (thresholds) => {
  const { share, hosts, most, for: lasting } = thresholds.fleet;
  const health = (name, record, { summary, what }) =>
    alert(
      {
        name,
        severity: 'ticket',
        // Half a host is for the rounding of a share times a count.
        expr: [
          `${record} > ${share}`,
          'and (',
          `  ${record} * cluster:mmaplock_hosts:count > ${hosts - 0.5}`,
          `  or ${record} >= ${most}`,
          ')',
        ].join('\n'),
        for: lasting,
        summary: `${summary}${ofCluster}`,
        description: `{{ $value | humanizePercentage }} of the hosts of job {{ $labels.job }} ${what} (limit: ${percent(share)} for ${lasting}).`,
      },
      thresholds,
    );
  return {
    name: 'mmaplock-fleet-health',
    interval: thresholds.interval,
    rules: [
      health('MmaplockHostsDown', 'cluster:mmaplock_down_hosts:ratio', {
        summary: 'mmaplockd does not answer on hosts',
        what: 'cannot be scraped',
      }),
      health('MmaplockTracersDown', 'cluster:mmaplock_tracer_down_hosts:ratio', {
        summary: 'Tracers fail or end again and again on hosts',
        what: 'were without their tracer for a part of the time, for it failed or ended',
      }),
      health('MmaplockHostsBlind', 'cluster:mmaplock_unobservable_hosts:ratio', {
        summary: 'Nothing can be observed on hosts',
        what: 'have no bpftrace that works, or nothing that it could attach to',
      }),
      health('MmaplockEventsLost', 'cluster:mmaplock_losing_hosts:ratio', {
        summary: 'Events are lost on hosts',
        what: 'lose events, so that their counts are too low',
      }),
      health('MmaplockHostsShedding', 'cluster:mmaplock_shedding_hosts:ratio', {
        summary: 'Probes are shed for their cost on hosts',
        what: 'have given up probes to stay within their budget',
      }),
    ],
  };
};
