/** The settings of what probes may cost. */
import { Type } from 'typebox';

export const costSettings = {
  budget_percent: Type.Number({
    description:
      'Percent of the time of one core that probes may take from the programs they trace; where there are more than 8 ' +
      'CPUs, of one core for each 8. Where they take more for cost.over_seconds, inspect mode is given up, then ' +
      'retries, then reads (opens stay), then opens; waits last, where cost.shed_waits is on. A step that would save ' +
      'nothing is passed over. ' +
      '0: no limit.',
    default: 1,
    minimum: 0,
    maximum: 100,
  }),
  over_seconds: Type.Number({
    description: 'Seconds in which each sample must be over the budget before something is given up.',
    default: 120,
    minimum: 4,
    maximum: 3600,
  }),
  shed_waits: Type.Enum(['off', 'on'], {
    description:
      'Whether waits are given up at last, too, and with them all that is observed. Whoever contends enough can then ' +
      'blind this host; their probes cost whoever waits, and nobody else.',
    default: 'off',
  }),
  quiet_seconds: Type.Number({
    description:
      'Seconds in which each sample must be under half the budget before what was given up last comes back. Where ' +
      'that goes over the budget again, twice as long, up to 4 h.',
    default: 600,
    minimum: 4,
    maximum: 86_400,
  }),
  measure: Type.Enum(['on', 'off'], {
    description:
      'Whether the run time of probes is measured, and the budget kept: for 1 s a minute kernel.bpf_stats_enabled ' +
      'is switched on, which costs every BPF program of this host some nanoseconds a run. It is left alone where ' +
      'it is on already.',
    default: 'on',
  }),
};
