/** The body of /api/v1/status: kernel, plan, tracer, readiness, cost. */
import { isoTime } from '../clock.js';
import { observables } from '../vocabulary.js';
import type { BudgetView } from '../watch/cost-budget.js';
import { asOf } from './as-of.js';
import { identityOf } from './rows.js';
import { snakeCase } from './snake-case.js';
import type { DaemonView } from './view.js';

/** Whom the cost is of, where it was looked for: the cgroup and the user with the largest shares of it. */
const causeOf = (cause: BudgetView['cause'], view: DaemonView) =>
  cause === undefined
    ? null
    : {
        at: isoTime(view, cause.at),
        cgroup: { ...identityOf(view, cause.cgroup.id), id: cause.cgroup.id, share: cause.cgroup.share },
        user: cause.user,
      };

/** The body of /api/v1/status. */
export const statusOf = (view: DaemonView) => {
  const plan = view.plan();
  const tracer = view.tracer();
  const cost = view.cost();
  const budget = view.budget();
  const { kernel, ledger } = view;
  const isoOrNull = (at: number | undefined): string | null => (at === undefined ? null : isoTime(view, at));
  return {
    version: view.version,
    started_at: isoTime(view, view.startedAt),
    as_of: asOf(view),
    ...view.readiness(),
    kernel: snakeCase(kernel),
    lock_paths: view.lockPaths(),
    observables: observables.map((what) => ({ what, ...plan.observables[what] })),
    plan: {
      chosen: plan.chosen.map(({ fragment }) => ({
        fragment: fragment.name,
        summary: fragment.summary,
        provides: fragment.provides.map(({ what }) => what),
        cost: fragment.cost,
        probes: fragment.probes.map(({ kind, target }) => `${kind}:${target}`),
      })),
      refused: plan.refused,
    },
    tracer: {
      phase: tracer.phase,
      since: isoTime(view, tracer.since),
      pid: tracer.pid === undefined ? null : String(tracer.pid),
      bpftrace: tracer.bpftrace ?? null,
      dialect: tracer.dialect === undefined ? null : snakeCase(tracer.dialect),
      error:
        tracer.error === undefined
          ? null
          : { code: tracer.error.code, message: tracer.error.message, fix: tracer.error.fix },
      next_try_at: isoOrNull(tracer.nextTryAt),
      last_tick_at: isoOrNull(ledger.tracer.lastTickAt),
      restarts: Object.fromEntries(ledger.tracer.restarts),
      blind_seconds: Object.fromEntries(ledger.tracer.blindSeconds(view.now())),
      lost_events_total: ledger.tracer.lostEvents,
      lost_updates: Object.fromEntries(ledger.tracer.lostUpdates),
      decode_errors_total: ledger.tracer.decodeErrors,
      map_overflows: Object.fromEntries(ledger.tracer.overflows),
    },
    cost: {
      tracer_cpu_seconds_total: cost.cpuSeconds,
      tracer_resident_memory_bytes: cost.residentBytes ?? null,
      tracer_map_memory_bytes: cost.mapBytes ?? null,
      probe_run_seconds_total: cost.probeRunSeconds ?? null,
      probe_cost_ratio: cost.probeCostRatio ?? null,
      budget_ratio: budget.percent / 100,
      shed: budget.shed,
      exceeded: budget.exceeded,
      cause: causeOf(budget.cause, view),
      unmeasured: budget.unmeasured ?? null,
      probes: budget.probes.map(snakeCase),
    },
  };
};
