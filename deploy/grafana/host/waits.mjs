/** Who waits for mmap_lock on this host, doing what, and for how long. */
import { oldestWait } from '../limits.mjs';
import { heat } from '../panels/heat.mjs';
import { lines } from '../panels/lines.mjs';
import { onHost } from '../selectors.mjs';

const byOperation = (metric) =>
  `sum by (operation, mode) (rate(mmaplock_${metric}{${onHost}}[$__rate_interval])) > 0`;
const byProcess = (metric) =>
  `topk(10, sum by (process, mode) (rate(mmaplock_${metric}{${onHost}, process=~"$process"}[$__rate_interval])))`;

export const waits = {
  title: 'Who waits, doing what',
  panels: [
    lines('Threads waiting, by operation', {
      says: 'How many threads stand still on average, by what they were doing and how they want the lock; operations that nobody waited in are left out. `page_fault` (read) beside little `write`: threads fault while others map. Much `page_fault` beside long `write` waits: faults queue behind a writer that is blocked itself. The figure counts waits when they end; see "Oldest wait".',
      unit: 'short',
      stack: true,
      queries: [['{{operation}} ({{mode}})', byOperation('wait_seconds_total')]],
    }),
    lines('Waits, by operation', {
      says: 'Waits a second that ended. Many waits and few waiting threads: short waits, which seldom hurt. Few waits and many threads: stalls. Waits under some 25 us spin, and are not counted.',
      unit: 'cps',
      stack: true,
      queries: [['{{operation}} ({{mode}})', byOperation('waits_total')]],
    }),
    heat('Wait duration: write', {
      says: 'How long waits to write took, over time. Each cell is a time and a range of durations; the more it stands out from the background, the more waits a second. A band that lies apart at the top is not the usual contention: somebody held the lock for long.',
      expr: `sum by (le) (rate(mmaplock_wait_duration_seconds_bucket{${onHost}, mode="write"}[$__rate_interval]))`,
    }),
    heat('Wait duration: read', {
      says: 'The same for waits to read, page faults above all. A band at the same height as one of the writers, at the same time, is a convoy: faults that queued behind that writer.',
      expr: `sum by (le) (rate(mmaplock_wait_duration_seconds_bucket{${onHost}, mode="read"}[$__rate_interval]))`,
    }),
    lines('Threads waiting, by process', {
      says: 'The ten processes whose threads wait most, by name of the process (its thread-group leader). `~other` holds the names without a series of their own. More than ten lines: the ten were not the same all the time.',
      unit: 'short',
      queries: [['{{process}} ({{mode}})', byProcess('process_wait_seconds_total')]],
    }),
    lines('Oldest wait', {
      says: 'The longest wait that still goes on, once a scrape. A ramp is one wait that does not end; its foot is the moment when it began. Waits that begin and end between two scrapes do not show here.',
      unit: 's',
      limits: oldestWait,
      queries: [['to {{mode}}', `mmaplock_oldest_wait_seconds{${onHost}}`]],
    }),
  ],
};
