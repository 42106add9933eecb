/** Whether this host is being observed and, where it is not, why: for people, CI and `check`, never for restart loops. */
import type { TracerState } from '../bpftrace/process/tracer.js';
import { type ErrorCode, errorCatalog, type MmaplockError } from '../errors.js';
import type { ProbePlan } from '../probes/plan.js';
import type { ShedStep } from '../vocabulary.js';

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

export interface Readiness {
  readonly ready: boolean;
  readonly problems: readonly Problem[];
}

/** An error, for people. */
export const problemOf = ({ code, message, fix }: MmaplockError): Problem => ({ code, message, fix });

/** What the cost budget has come to. */
export interface BudgetState {
  readonly percent: number;
  /** Given up now, in the order in which it was. */
  readonly shed: readonly ShedStep[];
  /** They take more, and nothing is left to give up. */
  readonly exceeded: boolean;
  /** Share of one core that the probes took in the last sample, if there is one. */
  readonly ratio: number | undefined;
}

export interface ReadinessInputs {
  readonly plan: ProbePlan;
  /** What of this host is less than it seems. */
  readonly host?: readonly Problem[];
  readonly tracer: TracerState;
  /** By the clock of the daemon. */
  readonly lastTickAt: number | undefined;
  readonly now: number;
  readonly budget: BudgetState;
  /** Ticks older than this many seconds mean that nothing is observed any more. */
  readonly stallSeconds: number;
}

/**
 * Ready means: waits are observed right now. Fragments that bpftrace refused, and what was given up for its cost, are
 * named even when it is ready.
 */
export const readinessOf = ({
  plan,
  host = [],
  tracer,
  lastTickAt,
  now,
  budget,
  stallSeconds,
}: ReadinessInputs): Readiness => {
  const problems: Problem[] = [...host];
  const add = (code: ErrorCode, message: string, fix: string = errorCatalog[code]): void => {
    problems.push({ code, message, fix });
  };
  for (const { fragment, reasons } of plan.refused)
    for (const { code, detail } of reasons)
      if (code === 'rejected_by_bpftrace') add('fragment_rejected', `fragment ${fragment}: ${detail}`);
      else if (code === 'fragment_malformed') add('fragment_malformed', detail);
      else if (code === 'reads_unproven') add(code, detail);
  if (plan.observables.operations.reason?.code === 'registers_unproven')
    add('registers_unproven', plan.observables.operations.reason.detail);

  if (budget.shed.length > 0) add('shed_for_cost', shedMessage(budget));
  if (budget.exceeded)
    add(
      'budget_exceeded',
      `the probes take more than ${budget.percent} % of a core, and nothing is left to give up`,
    );

  const waits = plan.observables.waits;
  const silence = lastTickAt === undefined ? undefined : (now - lastTickAt) / 1000;
  let observing = false;
  if (waits.reason?.code === 'switched_off') {
    add('probes_switched_off', `nothing is observed, and that is meant: ${waits.reason.detail}`);
  } else if (waits.reason?.code === 'shed_for_cost') {
    observing = false; // told above
  } else if (waits.reason?.code === 'kernel_lockdown' || waits.reason?.code === 'own_pid_namespace') {
    add(waits.reason.code, `nothing can be observed here: ${waits.reason.detail}`);
  } else if (!waits.observed) {
    add(
      'nothing_observable',
      `waits cannot be observed on this host: ${waits.reason?.detail ?? 'reason unknown'}`,
    );
  } else if (tracer.phase === 'observing') {
    observing = silence !== undefined && silence <= stallSeconds;
    if (!observing) add('ticks_stalled', `the last tick came ${silence?.toFixed(1) ?? 'never'} s ago`);
  } else if (tracer.error !== undefined) {
    add(tracer.error.code, tracer.error.message, tracer.error.fix);
  } else {
    problems.push({
      code: tracer.phase,
      message: `the tracer is ${tracer.phase}`,
      fix: 'Wait some seconds.',
    });
  }
  return { ready: observing, problems };
};

const shedMessage = ({ percent, shed, ratio }: BudgetState): string => {
  const now = ratio === undefined ? '' : `; those left took ${(ratio * 100).toFixed(2)} % in the last sample`;
  return `the probes took more than ${percent} % of a core, so this was given up: ${shed.join(', ')}${now}`;
};
