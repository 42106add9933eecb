/** How whole the observation of a cluster is: shares of its hosts. */
import { fold, host } from './promql.mjs';

/** The reasons for which a host cannot be observed at all: no bpftrace, or no probe that fits. */
const lacking = 'missing';
/** Somebody has switched the probes off: known, and no failure. */
const onPurpose = 'switched_off';

/**
 * The share of hosts for which `truth` is 1. A host for which it is absent counts as 0, for it is among the hosts; where
 * it is absent everywhere, so is the share.
 */
const shareOfHosts = (truth) => `${fold('sum', 'cluster, job', truth)} / cluster:mmaplock_hosts:count`;

/** 1 for hosts that were blind for these reasons for more than the threshold's share of the short window. */
const blindFor = (reasons, { windows, fleet }) =>
  `sum by (${host}) (rate(mmaplock_blind_seconds_total{reason${reasons}}[${windows.short}])) > bool ${fleet.gap}`;

/** @param {import('../thresholds.mjs').Thresholds} thresholds */
export const clusterRecords = (thresholds) => {
  const { jobs, windows } = thresholds;
  const targets = `up{job=~"${jobs}"}`;
  const lost = ['lost_events', 'map_overflows', 'decode_errors']
    .map((family) => `sum by (${host}) (rate(mmaplock_${family}_total[${windows.short}]))`)
    .join('\n+ ');
  return {
    name: 'mmaplock-cluster',
    interval: thresholds.interval,
    rules: [
      { record: 'cluster:mmaplock_hosts:count', expr: `count by (cluster, job) (${targets})` },
      { record: 'cluster:mmaplock_down_hosts:ratio', expr: `avg by (cluster, job) (${targets} == bool 0)` },
      {
        record: 'cluster:mmaplock_blind_hosts:ratio',
        expr: shareOfHosts(`max by (${host}) (mmaplock_tracer_up) == bool 0`),
      },
      {
        record: 'cluster:mmaplock_tracer_down_hosts:ratio',
        expr: shareOfHosts(blindFor(`!~"${lacking}|${onPurpose}"`, thresholds)),
      },
      {
        record: 'cluster:mmaplock_unobservable_hosts:ratio',
        expr: shareOfHosts(blindFor(`="${lacking}"`, thresholds)),
      },
      {
        record: 'cluster:mmaplock_losing_hosts:ratio',
        expr: shareOfHosts(`(${lost}) > bool 0`),
      },
      {
        record: 'cluster:mmaplock_shedding_hosts:ratio',
        expr: shareOfHosts(`max by (${host}) (mmaplock_shed)`),
      },
      {
        record: 'cluster_reason:mmaplock_blind_seconds:rate5m',
        expr: fold(
          'sum',
          'cluster, reason',
          `max by (cluster, instance, reason) (rate(mmaplock_blind_seconds_total[${windows.short}]))`,
        ),
      },
    ],
  };
};
