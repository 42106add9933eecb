/** What each host does: the base of the dashboards, of the records of releases and of the tickets. */
import { fold, host, rateWhereObserved } from './promql.mjs';

/** Rates by file and the like: record, counter, label, and what a host has to see. */
const rates = [
  ['instance_mode:mmaplock_wait_seconds:rate5m', 'mmaplock_wait_seconds_total', 'mode', 'waits'],
  ['instance_mode:mmaplock_waits:rate5m', 'mmaplock_waits_total', 'mode', 'waits'],
  ['instance_file:mmaplock_block_seconds:rate5m', 'mmaplock_block_seconds_total', 'file', 'blocks'],
  ['instance_file:mmaplock_proc_reads:rate5m', 'mmaplock_proc_reads_total', 'file', 'reads'],
  ['instance_file:mmaplock_proc_read_retries:rate5m', 'mmaplock_proc_read_retries_total', 'file', 'retries'],
];

/** @param {import('../thresholds.mjs').Thresholds} thresholds */
export const instanceRecords = (thresholds) => {
  const { short, medium, long } = thresholds.windows;
  const blockedTime = (window) =>
    fold(
      'sum',
      host,
      rateWhereObserved('mmaplock_writers_blocked_time_seconds_total', 'blocked_time', thresholds, window),
    );
  return {
    name: 'mmaplock-instance',
    interval: thresholds.interval,
    rules: [
      { record: 'instance:mmaplock_writers_blocked:ratio_rate5m', expr: blockedTime(short) },
      { record: 'instance:mmaplock_writers_blocked:ratio_rate10m', expr: blockedTime(medium) },
      { record: 'instance:mmaplock_writers_blocked:ratio_rate1h', expr: blockedTime(long) },
      ...rates.map(([record, counter, label, what]) => ({
        record,
        expr: fold('sum', `${host}, ${label}`, rateWhereObserved(counter, what, thresholds)),
      })),
      {
        record: 'instance:mmaplock_tracer_cpu:ratio_rate5m',
        expr: fold('sum', host, `rate(mmaplock_tracer_cpu_seconds_total[${short}])`),
      },
    ],
  };
};
