/** The daemon put together, in the order in which data flows; what leads to what is in apply.ts. */
import { liveColumnOf } from '../api/host-state.js';
import type { DaemonView } from '../api/view.js';
import { Supervisor } from '../bpftrace/process/supervise.js';
import type { Clock } from '../clock.js';
import { type Config, noProbes } from '../config/schema.js';
import { version } from '../config/version.js';
import { CostAccount } from '../cost/account.js';
import { countsMisses } from '../cost/misses.js';
import { readTracerCost } from '../cost/tracer.js';
import { listen } from '../http/server.js';
import { CgroupIndex } from '../identity/cgroup.js';
import { Identities } from '../identity/identities.js';
import { inInitialPidNamespace } from '../identity/pid-namespace.js';
import { readProcess } from '../identity/process.js';
import { WaitingThreads } from '../identity/waiting-thread.js';
import type { HistoryOptions } from '../ledger/history.js';
import type { Log } from '../log/log.js';
import { createRepeatLimit } from '../log/once.js';
import { mapNames } from '../probes/map-budget.js';
import { wantsMarks } from '../probes/plan.js';
import { openIncidentStore } from '../store/incident-store.js';
import { markOpenProcFiles } from '../survey/open-files.js';
import { cTypesFile } from '../survey/survey.js';
import { Inspector } from '../watch/inspector.js';
import { createEffects, tellState, tellStderr } from './apply.js';
import { keepCostBudget } from './budget.js';
import { compose } from './compose.js';
import { keepHouse } from './house-keeping.js';
import { Observation } from './observation.js';
import { type Tracing, tracingWith } from './tracing.js';

export interface Daemon {
  readonly view: DaemonView;
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

export interface StartOptions {
  /** How much is kept for pictures; a quarter of an hour unless told otherwise. */
  readonly history?: HistoryOptions;
  readonly tracing?: Tracing;
}

const namelessWaits =
  'the longest waits of metrics.watched_victims cannot be told: mmaplockd runs in a pid namespace of its own';

/**
 * Starts everything; resolves once all listeners are open. The tracer may not be up yet, or not at all: the daemon
 * lives on and says why.
 */
export const startDaemon = async (
  config: Config,
  log: Log,
  clock: Clock,
  { history, tracing = tracingWith(config.bpftrace.path) }: StartOptions = {},
): Promise<Daemon> => {
  const startedAt = clock.now();
  const say = createRepeatLimit({ minutes: 60, now: () => clock.monotonic() });
  const timeouts = { startTimeoutSeconds: config.bpftrace.start_timeout_seconds };

  // This host, what can be observed on it, and who is on it.
  const observation = await Observation.begin(config, { clock, log });
  const cgroups = new CgroupIndex({ now: () => clock.monotonic() });
  const identities = new Identities({ now: () => clock.monotonic(), cgroups });
  const pidsAreTheirs = inInitialPidNamespace();
  if (!pidsAreTheirs && config.metrics.watched_victims.length > 0) log.warn(namelessWaits);

  // The tracers, what they cost, and what is given up for it.
  const supervisor = new Supervisor({
    ...tracing,
    ...timeouts,
    clock,
    typesFile: cTypesFile,
    program: (tracer) => observation.programFor(tracer),
    mapKeys: (program) => observation.mapKeys(program),
    stallRestartSeconds: config.bpftrace.stall_restart_seconds,
  });
  const cost = new CostAccount((probe) => countsMisses(observation.survey.kernel.release, probe));
  const inspector = new Inspector({
    ...timeouts,
    clock,
    startSession: tracing.startSession,
    program: () => observation.inspection(),
    tracer: () => observation.tracer,
    mapKeys: (program) => observation.mapKeys(program),
    onStarted: () => wantsMarks(observation.survey.inspection) && void markOpenProcFiles(log),
    onSign: (pid) => cost.sampleSecond(pid, readTracerCost(pid)),
  });
  const budget = keepCostBudget({ config, clock, log, account: cost, inspector, supervisor, observation });

  // What happened, and what is shown of it.
  const store = await openIncidentStore(config.incidents, log, clock);
  const { ledger, metrics, stream, view } = compose({
    ...{ config, clock, version, startedAt, history, inspector },
    host: () => observation.survey,
    maps: [...mapNames(observation.program?.text ?? ''), 'unknown'],
    tracer: () => supervisor.state,
    cost: () => cost,
    budget: () => budget.budget,
    incidentLosses: () => store.losses,
    cgroup: (cgroupId, process) => identities.resolve({ cgroupId, ...process }).cgroup,
    processName: pidsAreTheirs ? (pid) => readProcess(pid)?.comm : undefined,
  });
  ledger.incidents.restore(store.restored);
  const threads = new WaitingThreads();
  supervisor.connect({
    onRecord: createEffects({
      ...{ config, log, clock, say, ledger, identities, store, stream, inspector },
      cgroup: view.cgroup,
      plan: view.plan,
      goOn: pidsAreTheirs ? (waits) => threads.among(waits) : undefined,
      onTick: () => metrics.invalidate(),
      liveColumn: () => liveColumnOf(view),
      restartTracer: (reason) => supervisor.restart(reason),
    }),
    onState: (state) => {
      metrics.invalidate();
      tellState(state, log, say);
    },
    onStderr: (line, judgement) => tellStderr(line, judgement, log, say),
    onRejected: (fragment, message) => observation.reject(fragment, message),
  });

  // Serve first, so that what goes wrong from here on can be asked for.
  const listeners = await listen(view, log);
  if (config.probes.allow.includes(noProbes)) {
    ledger.tracer.switchedOff(startedAt);
    log.warn(`probes.allow is ${noProbes}: nothing is observed, and no bpftrace is started`);
  } else supervisor.start();
  const stopHouseKeeping = keepHouse({
    ...{ clock, log, cost, cgroups },
    tracerPid: () => supervisor.state.pid,
    probeNames: () => observation.program?.probeNames ?? [],
  });
  budget.start();

  return {
    view,
    urls: listeners.map(({ url }) => url),
    stop: async () => {
      observation.end();
      stopHouseKeeping();
      await Promise.all([inspector.stop(), supervisor.stop(), budget.stop()]);
      for (const incident of ledger.incidents.open()) store.keep(incident);
      await store.flush();
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  };
};
