/** Whether this host is being observed and, where it is not, why: for people, CI and `check`, never for restart loops. */
import type { TracerState } from './bpftrace/supervise.js';
import { type ErrorCode, errorCatalog } from './errors.js';
import type { ProbePlan } from './probes/plan.js';

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

export interface Readiness {
  readonly ready: boolean;
  readonly problems: readonly Problem[];
}

export interface ReadinessInputs {
  readonly plan: ProbePlan;
  readonly tracer: TracerState;
  /** Milliseconds since the epoch. */
  readonly lastTickAt: number | undefined;
  readonly now: number;
  /** Ticks older than this many seconds mean that nothing is observed any more. */
  readonly stallSeconds: number;
}

/** Ready means: waits are observed right now. Fragments that bpftrace refused are named even when it is ready. */
export const readinessOf = ({ plan, tracer, lastTickAt, now, stallSeconds }: ReadinessInputs): Readiness => {
  const problems: Problem[] = [];
  const add = (code: ErrorCode, message: string, fix: string = errorCatalog[code]): void => {
    problems.push({ code, message, fix });
  };
  for (const { fragment, reasons } of plan.refused)
    for (const { code, detail } of reasons)
      if (code === 'rejected_by_bpftrace') add('fragment_rejected', `fragment ${fragment}: ${detail}`);
      else if (code === 'fragment_malformed') add('fragment_malformed', detail);

  const waits = plan.observables.waits;
  const silence = lastTickAt === undefined ? undefined : (now - lastTickAt) / 1000;
  let observing = false;
  if (waits.reason?.code === 'switched_off') {
    add('probes_switched_off', `nothing is observed, and that is meant: ${waits.reason.detail}`);
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
