/** What somebody looks at on a working day: readers that cost others, on any host. */
import { alert, ofCluster, percent } from './alert.mjs';
import { fold, whereObserved } from './promql.mjs';

/** @param {import('../thresholds.mjs').Thresholds} thresholds */
export const tickets = (thresholds) => {
  const { windows, ticket } = thresholds;
  return {
    name: 'mmaplock-ticket',
    interval: thresholds.interval,
    rules: [
      alert(
        {
          name: 'MmaplockWritersBlocked',
          severity: 'ticket',
          expr: `max by (cluster, instance) (instance:mmaplock_writers_blocked:ratio_rate1h) > ${ticket.writersBlocked.share}`,
          summary: `Readers of files of /proc/PID block writers on {{ $labels.instance }}${ofCluster}`,
          description: `For {{ $value | humanizePercentage }} of the last ${windows.long} some writer stood behind a reader (limit: ${percent(ticket.writersBlocked.share)}).`,
        },
        thresholds,
      ),
      alert(
        {
          name: 'MmaplockIncidents',
          severity: 'ticket',
          // Those without a reader are what threads of one process do to each other: no setting of a reader ends them.
          expr: `${fold(
            'sum',
            'cluster, instance',
            fold(
              'max',
              'cluster, instance, file',
              `increase(mmaplock_incidents_total{file!="none"}[${windows.long}])\n${whereObserved('stalls', thresholds)}`,
            ),
          )} > ${ticket.incidents.count}`,
          summary: `Readers of files of /proc/PID cause many incidents on {{ $labels.instance }}${ofCluster}`,
          description: `{{ $value | printf "%.0f" }} incidents in the last ${windows.long} had a reader in them (limit: ${ticket.incidents.count}).`,
        },
        thresholds,
      ),
    ],
  };
};
