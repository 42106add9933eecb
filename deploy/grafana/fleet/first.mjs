/** The first screen of the fleet: is anything wrong, and who is it. */
import { cpu, hosts, percent, ticketShare } from '../limits.mjs';
import { bars, figure } from '../panels/figures.mjs';
import { table } from '../panels/table.mjs';
import { inFleet, toHost, toReader } from '../selectors.mjs';

const hostCount = `cluster:mmaplock_hosts:count{${inFleet}}`;
const ratio = (what) => `cluster:mmaplock_${what}_hosts:ratio{${inFleet}}`;

export const first = {
  panels: [
    figure('Hosts', {
      says: 'Hosts that should be observed: Prometheus has them as targets of the job, whether they answer or not. It should be the number of hosts you have.',
      unit: 'short',
      expr: `sum(${hostCount})`,
    }),
    figure('Hosts not seen', {
      says: 'Share of hosts that are blind (nothing is observed there) or down (Prometheus does not reach them). All other figures leave them out, so a fleet that is blind looks like a quiet one. Why, and which: see "What is not seen" below.',
      unit: 'percentunit',
      limits: hosts,
      expr: `sum(((${ratio('blind')} or 0 * ${ratio('down')}) + ${ratio('down')}) * ${hostCount}) / sum(${hostCount})`,
    }),
    figure('Hosts with blocked writers', {
      says: `Hosts on which, for more than ${percent(ticketShare)} of the last 5 minutes, a writer (mmap, munmap, mprotect) stood behind a reader of \`/proc/PID/maps\`, \`smaps\` and the like. 0 means looked and saw none; "No data" means that nobody looked.`,
      unit: 'short',
      limits: [1, 10],
      expr: `sum(instance:mmaplock_writers_blocked:ratio_rate5m{${inFleet}} > bool ${ticketShare})`,
    }),
    figure('Threads behind readers', {
      says: 'How many threads of the whole fleet stand behind readers of proc files, on average over 5 minutes. This is capacity that is paid for and does not serve. An estimate: see "How blocks are attributed" in the README.',
      unit: 'short',
      expr: `sum(instance_file:mmaplock_block_seconds:rate5m{${inFleet}})`,
    }),
    figure('Incidents', {
      says: 'Stalls over the threshold (50 ms, unless configured) that were opened within "Sums over". Who stalled whom, with the evidence, is told on the host: `/api/v1/incidents`, or its log.',
      unit: 'short',
      expr: `sum(increase(mmaplock_incidents_total{${inFleet}}[$window]))`,
    }),
    figure('Tracer CPU of a host', {
      says: 'What bpftrace itself takes of one core, on average over hosts. Probes run on the time of those they trace, which is not in here: see "What it costs" in the README.',
      unit: 'percentunit',
      limits: cpu,
      expr: `avg(instance:mmaplock_tracer_cpu:ratio_rate5m{${inFleet}})`,
    }),
    table('Worst readers', {
      says: 'Readers of proc files by the thread-seconds others stood behind them, within "Sums over". Click a name for that reader across the fleet. Empty while "Threads behind readers" shows 0: nobody was blocked. A name that is new counts from its second scrape. Wall time is not kept by reader; "Worst files" has it.',
      labels: { reader: { title: 'Reader', link: toReader }, file: { title: 'File' } },
      values: [
        {
          title: 'Thread-seconds behind it',
          unit: 's',
          expr: `topk(15, sum by (reader, file) (increase(mmaplock_reader_block_seconds_total{${inFleet}, reader!="~unknown"}[$window])) > 0)`,
        },
      ],
      width: 7,
    }),
    bars('Worst files', {
      says: 'Wall time in which a writer stood behind a reader of that file, summed over processes and hosts, within "Sums over". However many threads of a process wait, a second counts once. It is the file, and with it the kernel, that decides how a reader blocks: see "Did the upgrade help".',
      unit: 's',
      legend: '{{file}}',
      expr: `sort_desc(sum by (file) (increase(mmaplock_writers_blocked_time_seconds_total{${inFleet}}[$window])))`,
      width: 5,
    }),
    table('Worst victims', {
      says: 'Processes by the thread-seconds they stood behind readers, within "Sums over". Blocks of which no reader can be shown (`~unknown`) are in it. Page faults that queued behind a blocked writer are not: see "Convoys by victim".',
      labels: { victim: { title: 'Victim' } },
      values: [
        {
          title: 'Thread-seconds lost',
          unit: 's',
          expr: `topk(15, sum by (victim) (increase(mmaplock_reader_block_seconds_total{${inFleet}}[$window])) > 0)`,
        },
      ],
      width: 5,
    }),
    table('Worst hosts', {
      says: 'Hosts by the share of the last hour in which a writer stood behind a reader. Processes that are blocked at the same time count each, so that it can exceed 100 %. Click a host to see who it was.',
      labels: { instance: { title: 'Host', link: toHost }, cluster: { title: 'Cluster' } },
      values: [
        {
          title: 'Writers blocked',
          unit: 'percentunit',
          expr: `topk(15, max by (cluster, instance) (instance:mmaplock_writers_blocked:ratio_rate1h{${inFleet}}) > 0)`,
        },
      ],
      width: 7,
    }),
  ],
};
