/** How whole the observation is: the tracer, its gaps, losses and cost. */
import type { Clock } from '../clock.js';
import type { TracerLedger } from '../ledger/tracer.js';
import type { ProbePlan } from '../probes/plan.js';
import { type Observable, observables } from '../vocabulary.js';
import type { ProbeCostTotals } from './budget.js';
import type { Family } from './family.js';

/** What tracers have cost so far, over all of them. */
export interface CostTotals extends ProbeCostTotals {
  readonly cpuSeconds: number;
  /** Undefined while no tracer runs. */
  readonly residentBytes: number | undefined;
  readonly mapBytes: number | undefined;
  /** Runs the kernel skipped because a probe would have recursed, by probe. */
  readonly misses: ReadonlyMap<string, number>;
}

export interface TracerSources {
  readonly tracer: TracerLedger;
  readonly plan: () => ProbePlan;
  /** Planned, and a tracer has reported. */
  readonly observed: (what: Observable) => boolean;
  readonly cost: () => CostTotals;
  readonly inspectSeconds: () => number;
  readonly folded: () => ReadonlyMap<string, number>;
  readonly clock: Pick<Clock, 'now' | 'timeOfDay'>;
}

export const tracerFamilies = (sources: TracerSources): Family[] => {
  const { tracer, plan, observed, cost, inspectSeconds, folded, clock } = sources;
  const byLabel = (label: string, values: ReadonlyMap<string, number>) =>
    Array.from(values, ([key, value]) => ({ labels: { [label]: key }, value }));
  const present = (value: number | undefined) => (value === undefined ? [] : [{ value }]);
  const counter = (name: string, help: string, samples: Family['samples']): Family => ({
    name: `mmaplock_${name}`,
    help,
    type: 'counter',
    samples,
  });
  const gauge = (name: string, help: string, samples: Family['samples']): Family => ({
    name: `mmaplock_${name}`,
    help,
    type: 'gauge',
    samples,
  });

  return [
    gauge(
      'observable',
      'Whether this can be seen on this host, with its kernel, bpftrace and configuration: 1 or 0.',
      () => observables.map((what) => ({ labels: { what }, value: observed(what) ? 1 : 0 })),
    ),
    gauge('source_info', 'The probe fragment by which something is seen; always 1.', () =>
      observables.flatMap((what) => {
        const source = plan().observables[what].source;
        return source === undefined ? [] : [{ labels: { what, source }, value: 1 }];
      }),
    ),
    gauge('tracer_up', 'Whether bpftrace runs with all its probes attached: 1 or 0.', () => [
      { value: tracer.up ? 1 : 0 },
    ]),
    counter('tracer_restarts_total', 'How often a tracer ended or failed to start, by reason.', () =>
      byLabel('reason', tracer.restarts),
    ),
    counter('blind_seconds_total', 'Seconds in which nothing was observed, by the reason of the gap.', () =>
      byLabel('reason', tracer.blindSeconds(clock.now())),
    ),
    gauge('last_tick_timestamp_seconds', 'When the tracer last reported, in seconds since the epoch.', () =>
      present(tracer.lastTickAt === undefined ? undefined : clock.timeOfDay(tracer.lastTickAt) / 1000),
    ),
    counter(
      'inspect_seconds_total',
      'Seconds in which inspect mode was on: a second tracer, whose memory and losses are in no other metric.',
      () => [{ value: inspectSeconds() }],
    ),
    counter(
      'tracer_cpu_seconds_total',
      'CPU time of bpftrace itself, in inspect mode too; probes run on the CPU time of those they trace.',
      () => [{ value: cost().cpuSeconds }],
    ),
    gauge('tracer_resident_memory_bytes', 'Resident memory of bpftrace.', () =>
      present(cost().residentBytes),
    ),
    gauge('tracer_map_memory_bytes', 'Kernel memory of the BPF maps of bpftrace.', () =>
      present(cost().mapBytes),
    ),
    counter(
      'lost_events_total',
      'Events bpftrace could not hand over because its buffer was full, and lost updates of maps.',
      () => [{ value: tracer.lostEvents }],
    ),
    counter(
      'lost_updates_total',
      'Updates of BPF maps that the kernel refused though they were not full, by reason; also in lost events.',
      () => byLabel('reason', tracer.lostUpdates),
    ),
    counter(
      'probe_misses_total',
      'Probe runs the kernel skipped because they would have recursed. Absent where it does not count them: ' +
        'tracepoints and kprobes before Linux 6.7, function entries and exits before 5.12.',
      () => byLabel('probe', cost().misses),
    ),
    counter('map_overflows_total', 'Updates refused because a BPF map was full.', () =>
      byLabel('map', tracer.overflows),
    ),
    counter('decode_errors_total', 'Lines of bpftrace that could not be understood.', () => [
      { value: tracer.decodeErrors },
    ]),
    counter(
      'stalls_suppressed_total',
      'Long waits that were not told on their own (see /api/v1/incidents), for others were at that moment; they are in ' +
        'all other counts.',
      () => (observed('stalls') ? [{ value: tracer.untoldStalls }] : []),
    ),
    counter(
      'series_folded_total',
      'Names counted into ~other because all slots of the family were taken.',
      () => byLabel('family', folded()),
    ),
  ];
};
