/** What monitoring itself costs. */
import { cpu, series } from '../limits.mjs';
import { lines } from '../panels/lines.mjs';
import { inFleet } from '../selectors.mjs';

const medianAndWorst = (expr) => [
  ['median host', `quantile(0.5, ${expr})`],
  ['99 % of hosts are below', `quantile(0.99, ${expr})`],
  ['worst host', `max(${expr})`],
];

export const cost = {
  title: 'What monitoring itself costs',
  panels: [
    lines('CPU of the tracer', {
      says: 'What bpftrace takes of one core on a host. It grows with the names it prints once a second. What probes cost those they trace is not in here: the README has it, loop by loop.',
      unit: 'percentunit',
      limits: cpu,
      queries: medianAndWorst(`instance:mmaplock_tracer_cpu:ratio_rate5m{${inFleet}}`),
      width: 8,
    }),
    lines('CPU of the daemon', {
      says: 'What Node takes of one core on a host: it decodes what the tracer says once a second, and answers scrapes.',
      unit: 'percentunit',
      limits: cpu,
      queries: medianAndWorst(`rate(process_cpu_seconds_total{${inFleet}}[$__rate_interval])`),
      width: 8,
    }),
    lines('Memory', {
      says: 'Resident memory of bpftrace (some 120 MB, of which a third is its own), of the daemon (80 to 130 MB), and the kernel memory of the BPF maps (bounded by `limits.map_memory_mib`), on the host that has most. The maps grow with the number of possible CPUs.',
      unit: 'bytes',
      queries: [
        ['bpftrace, worst host', `max(mmaplock_tracer_resident_memory_bytes{${inFleet}})`],
        ['daemon, worst host', `max(process_resident_memory_bytes{${inFleet}})`],
        ['BPF maps, worst host', `max(mmaplock_tracer_map_memory_bytes{${inFleet}})`],
        ['bpftrace, mean', `avg(mmaplock_tracer_resident_memory_bytes{${inFleet}})`],
      ],
      width: 8,
    }),
    lines('Series of a host', {
      says: 'Samples in one scrape: typically under 550, never above 1,500. A host near the cap has many names of readers, victims and processes.',
      unit: 'short',
      limits: series,
      queries: medianAndWorst(`scrape_samples_scraped{${inFleet}}`),
      width: 8,
    }),
    lines('Series of the fleet', {
      says: 'Samples of all hosts in one round of scrapes: what this costs Prometheus. Multiply by the rounds a day and some 1.5 bytes a sample for its disk.',
      unit: 'short',
      queries: [['samples in a round', `sum(scrape_samples_scraped{${inFleet}})`]],
      width: 8,
    }),
    lines('Duration of a scrape', {
      says: 'How long Prometheus waits for the answer of a host. The text is made once a second at most, so it should be some milliseconds; seconds mean a daemon without CPU.',
      unit: 's',
      queries: medianAndWorst(`scrape_duration_seconds{${inFleet}}`),
      width: 8,
    }),
  ],
};
