/** Whether the fleet is seen at all. */
import { fleetFor, fleetShare, hosts, percent } from '../limits.mjs';
import { bars } from '../panels/figures.mjs';
import { lines } from '../panels/lines.mjs';
import { table } from '../panels/table.mjs';
import { inClusters, inFleet, toHost } from '../selectors.mjs';

const share = (what) => `max by (cluster, job) (cluster:mmaplock_${what}_hosts:ratio{${inFleet}})`;

export const health = {
  title: 'What is not seen',
  panels: [
    lines('Hosts that do not see all', {
      says: `Share of hosts, by cluster. Down: Prometheus cannot scrape them. Blind: nothing is observed there. Losing: events were lost, so that counts are too low. Shedding: something is left out because it had become dear. The fleet alerts fire above ${percent(fleetShare)} for ${fleetFor}, the red line.`,
      unit: 'percentunit',
      limits: hosts,
      queries: [
        ['down {{cluster}}', share('down')],
        ['blind {{cluster}}', share('blind')],
        ['losing {{cluster}}', share('losing')],
        ['shedding {{cluster}}', share('shedding')],
      ],
    }),
    lines('Why hosts are blind', {
      says: 'How many hosts are blind at a time for this reason, on average. `rejected`: the compiler or the verifier refuses the program, as after an upgrade of the kernel. `attach`: probes could not be attached. `missing`: no bpftrace. `killed`, `exited`: it ended, often for want of memory. `stalled`, `timeout`: it said nothing in time. `replan`: a planned restart. `budget`: a planned restart to keep to the cost budget, or all was given up for its cost. `switched_off`: somebody wanted it so. `mmaplockd check` on such a host says what to mend.',
      unit: 'short',
      stack: true,
      queries: [
        ['{{reason}}', `sum by (reason) (cluster_reason:mmaplock_blind_seconds:rate5m{${inClusters}})`],
      ],
    }),
    table('Hosts that are blind or down', {
      says: 'At most 50 of them, now. "not scraped": Prometheus does not reach it. "no tracer": the daemon runs, and bpftrace does not; its `/-/ready` says why. Empty: all are seen.',
      labels: {
        instance: { title: 'Host', link: toHost },
        cluster: { title: 'Cluster' },
        state: { title: 'State' },
      },
      values: [
        {
          title: 'Hosts',
          unit: 'short',
          expr:
            `topk(50, count by (cluster, instance, state) (label_replace(up{${inFleet}} == 0, "state", "not scraped", "", "") ` +
            `or label_replace(mmaplock_tracer_up{${inFleet}} == 0, "state", "no tracer", "", "")))`,
        },
      ],
      width: 8,
    }),
    bars('What is observed', {
      says: 'Share of the hosts that answer on which this can be seen, with their kernel, bpftrace and configuration. `holds` is seen in inspect mode alone, and `vma_waits` is off unless switched on: 0 % is no fault there. Where `blocks` is low, the panels above show a part of the fleet.',
      unit: 'percentunit',
      max: 1,
      legend: '{{what}}',
      expr: `sort_desc(avg by (what) (mmaplock_observable{${inFleet}}))`,
      width: 8,
    }),
    lines('Losses', {
      says: 'What was not counted, or not by name, a second over the fleet. All 0 on healthy hosts, but for a few probe misses under heavy contention. Lost events and full maps: counts are too low. Folded: more names than a family has slots, so that new ones are in `~other`. Undecodable: please report it, with `mmaplockd support-bundle`.',
      unit: 'cps',
      queries: [
        ['lost events', `sum(rate(mmaplock_lost_events_total{${inFleet}}[$__rate_interval]))`],
        ['probe misses', `sum(rate(mmaplock_probe_misses_total{${inFleet}}[$__rate_interval]))`],
        ['full maps', `sum(rate(mmaplock_map_overflows_total{${inFleet}}[$__rate_interval]))`],
        ['undecodable lines', `sum(rate(mmaplock_decode_errors_total{${inFleet}}[$__rate_interval]))`],
        ['names folded', `sum(rate(mmaplock_series_folded_total{${inFleet}}[$__rate_interval]))`],
      ],
      width: 8,
      height: 10,
    }),
  ],
};
