/**
 * What counts and what is shown, put together: nothing here starts, opens, reads or waits. The daemon hands in a host, a
 * tracer and a clock; so does a test, with those of its own.
 */
import { type HubOptions, StreamHub } from '../api/stream/hub.js';
import type { DaemonView } from '../api/view.js';
import type { TracerState } from '../bpftrace/process/tracer.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import { namesByTick } from '../identity/names-by-tick.js';
import type { HistoryOptions } from '../ledger/history.js';
import type { Ledger } from '../ledger/ledger.js';
import { MetricsText } from '../metrics/exposition.js';
import type { IncidentLosses } from '../store/incident-store.js';
import type { HostSurvey } from '../survey/survey.js';
import { readinessOf } from '../watch/readiness.js';
import { ledgerFor } from './ledger.js';

/** What is known of the host now. */
export type KnownHost = Pick<HostSurvey, 'kernel' | 'plan' | 'lockPaths' | 'problems'>;

export interface Parts {
  readonly config: Config;
  readonly clock: Clock;
  readonly version: string;
  /** By the clock. */
  readonly startedAt: number;
  readonly host: () => KnownHost;
  /** That can overflow; `unknown` where it cannot be told which did. */
  readonly maps: readonly string[];
  readonly tracer: () => TracerState;
  readonly cost: DaemonView['cost'];
  readonly budget: DaemonView['budget'];
  readonly inspector: DaemonView['inspector'];
  readonly incidentLosses: () => IncidentLosses;
  readonly cgroup: DaemonView['cgroup'];
  /** Undefined where the pids that probes see are not those of this namespace. */
  readonly processName: ((pid: number) => string | undefined) | undefined;
  readonly history?: HistoryOptions | undefined;
  readonly stream?: Partial<HubOptions> | undefined;
}

export interface Composed {
  readonly ledger: Ledger;
  readonly metrics: MetricsText;
  readonly stream: StreamHub;
  readonly view: DaemonView;
}

export const compose = (parts: Parts): Composed => {
  const { config, clock, version, startedAt, host, tracer, cost, budget, inspector, cgroup } = parts;
  const { processName } = parts;
  const ledger = ledgerFor(config, {
    survey: host,
    maps: parts.maps,
    cgroup,
    processName,
    history: parts.history,
    ahead: () => clock.timeOfDay(0),
  });
  const metrics = new MetricsText({
    ledger,
    plan: () => host().plan,
    lockPaths: () => host().lockPaths,
    cost,
    shed: () => budget().shed,
    incidentLosses: parts.incidentLosses,
    inspectSeconds: () => inspector.seconds,
    clock,
    kernelRelease: host().kernel.release,
    version,
    bpftrace: () => tracer().bpftrace?.version,
  });
  const stream = new StreamHub({ clock, startedAt, ...parts.stream });
  const view: DaemonView = {
    config,
    version,
    startedAt,
    get kernel() {
      return host().kernel;
    },
    ledger,
    plan: () => host().plan,
    lockPaths: () => host().lockPaths,
    tracer,
    readiness: () =>
      readinessOf({
        plan: host().plan,
        host: host().problems,
        tracer: tracer(),
        lastTickAt: ledger.tracer.lastTickAt,
        now: clock.now(),
        budget: budget(),
        stallSeconds: config.bpftrace.stall_seconds,
      }),
    cost,
    budget,
    metrics: () => metrics.current(),
    cgroup,
    processName: namesByTick(
      () => ledger.asOf,
      (pid) => processName?.(pid),
    ),
    stream,
    inspector,
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    timeOfDay: (at) => clock.timeOfDay(at),
    atTimeOfDay: (time) => clock.atTimeOfDay(time),
  };
  return { ledger, metrics, stream, view };
};
