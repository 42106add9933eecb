/**
 * What wakes somebody: contention of victims that metrics.watched_victims names. Without names there are no series, and
 * nobody is woken. A host that several jobs scrape wakes once.
 */
import { alert, ofCluster, percent } from './alert.mjs';
import { fold, whereObserved } from './promql.mjs';

const victims = 'cluster, instance, victim';

/** @param {import('../thresholds.mjs').Thresholds} thresholds */
export const pages = (thresholds) => {
  const { windows, page } = thresholds;
  return {
    name: 'mmaplock-page',
    interval: thresholds.interval,
    rules: [
      alert(
        {
          name: 'MmaplockVictimStuck',
          severity: 'page',
          // A gauge: it grows while the wait goes on, and the totals only when it ends.
          expr: `max by (${victims}) (mmaplock_watched_oldest_wait_seconds) > ${page.oldestWait.seconds}`,
          for: page.oldestWait.for,
          summary: `Threads of {{ $labels.victim }} on {{ $labels.instance }}${ofCluster} stand still, waiting for mmap_lock`,
          description: `At every look for ${page.oldestWait.for} a thread had been waiting for more than ${page.oldestWait.seconds} s; the longest now for {{ $value | humanizeDuration }}.`,
        },
        thresholds,
      ),
      alert(
        {
          name: 'MmaplockVictimBlocked',
          severity: 'page',
          // A share of a window instead of a time for which a rate is high: a wait counts when it ends, so that one of two
          // minutes is a burst, and a scrape that fails must not start the clock anew.
          expr: `${fold(
            'max',
            victims,
            `rate(mmaplock_watched_writers_blocked_time_seconds_total[${windows.medium}])\n${whereObserved('blocked_time', thresholds)}`,
          )} > ${page.writersBlocked.share}`,
          summary: `Readers of files of /proc/PID block {{ $labels.victim }} on {{ $labels.instance }}${ofCluster}`,
          description: `For {{ $value | humanizePercentage }} of the last ${windows.medium} writers of {{ $labels.victim }} stood behind a reader (limit: ${percent(page.writersBlocked.share)}; over 100% where several of its processes do at once).`,
        },
        thresholds,
      ),
    ],
  };
};
