/** How whole the observation of this host is, and what it costs. */
import { cpu, series } from '../limits.mjs';
import { bars } from '../panels/figures.mjs';
import { lines } from '../panels/lines.mjs';
import { onHost } from '../selectors.mjs';

const rate = (metric) => `rate(${metric}{${onHost}}[$__rate_interval])`;

export const health = {
  title: 'How whole this is, and what it costs',
  panels: [
    lines('Blind, by reason', {
      says: 'Share of the time in which nothing was observed, by the reason of the gap. A peak with a restart beside it is a tracer that ended and came back. 100 % for good: `mmaplockd check` on the host says why, and what to mend.',
      unit: 'percentunit',
      stack: true,
      max: 1,
      queries: [['{{reason}}', `${rate('mmaplock_blind_seconds_total')} > 0`]],
      width: 8,
    }),
    lines('Restarts of the tracer', {
      says: 'How often bpftrace ended or failed to start, by reason. `replan` is a planned restart, and harmless. `killed` again and again: look for the kernel out of memory. `rejected` after an upgrade of the kernel or bpftrace: see `check`.',
      unit: 'short',
      queries: [['{{reason}}', `increase(mmaplock_tracer_restarts_total{${onHost}}[$__rate_interval]) > 0`]],
      width: 8,
    }),
    lines('Losses', {
      says: 'What was not counted, or not by name, a second. All 0 on a healthy host, but for a few probe misses under heavy contention; misses of a `sys_exit_` probe can be reads that were not counted. Folded: names that went into `~other`, for all slots of their family were taken.',
      unit: 'cps',
      queries: [
        ['lost events', rate('mmaplock_lost_events_total')],
        ['misses of {{probe}}', `${rate('mmaplock_probe_misses_total')} > 0`],
        ['full map {{map}}', `${rate('mmaplock_map_overflows_total')} > 0`],
        ['undecodable lines', rate('mmaplock_decode_errors_total')],
        ['folded, {{family}}', `${rate('mmaplock_series_folded_total')} > 0`],
        ['given up for its cost: {{what}}', `mmaplock_shed{${onHost}} > 0`],
      ],
      width: 8,
    }),
    lines('CPU', {
      says: 'What bpftrace and the daemon take of one core. Probes run on the time of those they trace: what they took in a sample of 1 s stands beside it, and `cost.budget_percent` is held against it. Inspect mode: the share of time a second tracer ran, which costs more.',
      unit: 'percentunit',
      limits: cpu,
      queries: [
        ['bpftrace', rate('mmaplock_tracer_cpu_seconds_total')],
        ['daemon', rate('process_cpu_seconds_total')],
        ['inspect mode on', `${rate('mmaplock_inspect_seconds_total')} > 0`],
        ['probes, last sample', `mmaplock_probe_cost_ratio{${onHost}}`],
      ],
      width: 8,
    }),
    lines('Memory', {
      says: 'Resident memory of bpftrace and of the daemon, and the kernel memory of the BPF maps (bounded by `limits.map_memory_mib`). Level lines are healthy: all of it is bounded.',
      unit: 'bytes',
      queries: [
        ['bpftrace', `mmaplock_tracer_resident_memory_bytes{${onHost}}`],
        ['daemon', `process_resident_memory_bytes{${onHost}}`],
        ['BPF maps', `mmaplock_tracer_map_memory_bytes{${onHost}}`],
      ],
      width: 8,
    }),
    lines('Age of what is shown', {
      says: 'How long before the scrape the tracer last reported: it does so every second. Many seconds: the tracer stands, or has no CPU. The clocks of the host and of Prometheus both count, so a constant offset is one of them being wrong.',
      unit: 's',
      limits: [10, 60],
      queries: [
        [
          'last tick',
          `timestamp(mmaplock_last_tick_timestamp_seconds{${onHost}}) - mmaplock_last_tick_timestamp_seconds{${onHost}}`,
        ],
      ],
      width: 8,
    }),
    bars('What is observed', {
      says: 'Whether this can be seen on this host, with its kernel, bpftrace and configuration: 1 or 0. `holds` is seen in inspect mode alone, and `vma_waits` is off unless switched on. Why something is 0: `mmaplockd check`, or `/api/v1/status`.',
      unit: 'none',
      max: 1,
      legend: '{{what}}',
      expr: `sort_desc(max by (what) (mmaplock_observable{${onHost}}))`,
      width: 8,
    }),
    lines('Series of this host', {
      says: 'Samples in one scrape: typically under 550, never above 1,500. It grows with the names of processes, readers and victims.',
      unit: 'short',
      limits: series,
      queries: [['samples', `scrape_samples_scraped{${onHost}}`]],
      width: 8,
      height: 10,
    }),
    lines('Duration of a scrape', {
      says: 'How long Prometheus waits for the answer. It should be some milliseconds; seconds mean a daemon without CPU, whose figures come late as well.',
      unit: 's',
      queries: [['scrape', `scrape_duration_seconds{${onHost}}`]],
      width: 8,
      height: 10,
    }),
  ],
};
