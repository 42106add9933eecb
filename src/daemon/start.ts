/**
 * The daemon put together, in the order in which data flows. This is the only place that carries out effects: what
 * the ledger or the supervisor asks for comes back here and is done here, never by a call up the house.
 */

import { liveColumnOf } from '../api/host-state.js';
import { StreamHub } from '../api/stream/hub.js';
import type { DaemonView } from '../api/view.js';
import { runCanary } from '../bpftrace/dialect.js';
import { createFileMemory } from '../bpftrace/file-memory.js';
import { type FoundBpftrace, findBpftrace, readVersion } from '../bpftrace/find.js';
import { startSession } from '../bpftrace/process/session.js';
import { Supervisor, type Tracer } from '../bpftrace/process/supervise.js';
import type { Clock } from '../clock.js';
import { type Config, noProbes } from '../config/schema.js';
import { version } from '../config/version.js';
import { CostAccount } from '../cost/account.js';
import { countsMisses } from '../cost/misses.js';
import { readTracerCost } from '../cost/tracer.js';
import { type Listener, listen } from '../http/server.js';
import { CgroupIndex } from '../identity/cgroup.js';
import { Identities } from '../identity/identities.js';
import { namesByTick } from '../identity/names-by-tick.js';
import { inInitialPidNamespace } from '../identity/pid-namespace.js';
import { readProcess } from '../identity/process.js';
import { WaitingThreads } from '../identity/waiting-thread.js';
import { findTracefs } from '../kernel/tracefs.js';
import type { HistoryOptions } from '../ledger/history.js';
import type { Log } from '../log/log.js';
import { createRepeatLimit } from '../log/once.js';
import { MetricsText } from '../metrics/exposition.js';
import { inspectProgram } from '../probes/inspection.js';
import { contradicted } from '../probes/lock-path/behaviour.js';
import { mapKeysOn, mapNames } from '../probes/map-budget.js';
import { wantsMarks } from '../probes/plan.js';
import { joinProgram } from '../probes/program.js';
import { openIncidentStore } from '../store/incident-store.js';
import { markOpenProcFiles } from '../survey/open-files.js';
import { cTypesFile, settleSurvey, surveyHost } from '../survey/survey.js';
import { Inspector } from '../watch/inspector.js';
import { SelfCheck } from '../watch/lock-path-check.js';
import { readinessOf } from '../watch/readiness.js';
import { createEffects, tellState, tellStderr } from './apply.js';
import { keepCostBudget } from './budget.js';
import { keepHouse } from './house-keeping.js';
import { ledgerFor } from './ledger.js';
import { tellFindings } from './report-findings.js';

export interface Daemon {
  readonly view: DaemonView;
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

const namelessWaits =
  'the longest waits of metrics.watched_victims cannot be told: mmaplockd runs in a pid namespace of its own';

/**
 * Starts everything; resolves once all listeners are open. The tracer may not be up yet, or not at all: the daemon
 * lives on and says why.
 * @param history how much is kept for pictures; a quarter of an hour unless told otherwise
 */
export const startDaemon = async (
  config: Config,
  log: Log,
  clock: Clock,
  history?: HistoryOptions,
): Promise<Daemon> => {
  const startedAt = clock.now();
  const say = createRepeatLimit({ minutes: 60, now: () => clock.monotonic() });

  // What this host offers, and what to run on it.
  const rejected = new Map<string, string>();
  let replanDue = false;
  let survey = await surveyHost(config);
  const joined = () => (survey.plan.chosen.length === 0 ? undefined : joinProgram(survey.plan.chosen));
  let program = joined();

  const mapKeys = ({ text }: { readonly text: string }): number =>
    mapKeysOn(text, config.limits, survey.kernel.possibleCpus);

  // What happened.
  const cgroups = new CgroupIndex({ now: () => clock.monotonic() });
  const identities = new Identities({ now: () => clock.monotonic(), cgroups });
  const cgroupOf: DaemonView['cgroup'] = (cgroupId, process) =>
    identities.resolve({ cgroupId, ...process }).cgroup;
  // In a namespace of its own, the pids that probes see are those of other processes here.
  const pidsAreTheirs = inInitialPidNamespace();
  if (!pidsAreTheirs && config.metrics.watched_victims.length > 0) log.warn(namelessWaits);
  const ledger = ledgerFor(config, {
    survey: () => survey,
    maps: mapNames(program?.text ?? ''),
    cgroup: cgroupOf,
    pidsAreTheirs,
    history,
    ahead: () => clock.timeOfDay(0),
  });
  const store = await openIncidentStore(config.incidents, log, clock);
  ledger.incidents.restore(store.restored);
  const cost = new CostAccount((probe) => countsMisses(survey.kernel.release, probe));
  const metrics = new MetricsText({
    ledger,
    plan: () => survey.plan,
    lockPaths: () => survey.lockPaths,
    cost: () => cost,
    shed: () => costWatch.shed,
    incidentLosses: () => store.losses,
    inspectSeconds: () => inspector.seconds,
    clock,
    kernelRelease: survey.kernel.release,
    version,
    bpftrace: () => supervisor.state.bpftrace?.version,
  });
  const stream = new StreamHub({ clock, startedAt });
  const inspector = new Inspector({
    clock,
    startSession,
    program: () => inspectProgram(survey.inspection, costWatch.shed),
    tracer: () => tracer,
    mapKeys: (of) => mapKeys(of),
    startTimeoutSeconds: config.bpftrace.start_timeout_seconds,
    onStarted: () => wantsMarks(survey.inspection) && void markOpenProcFiles(log),
    onSign: (pid) => cost.sampleSecond(pid, readTracerCost(pid)),
  });
  const threads = new WaitingThreads();
  const apply = createEffects({
    config,
    log,
    clock,
    say,
    ledger,
    identities,
    store,
    stream,
    inspector,
    cgroup: cgroupOf,
    plan: () => survey.plan,
    goOn: pidsAreTheirs ? (waits) => threads.among(waits) : undefined,
    onTick: () => metrics.invalidate(),
    liveColumn: () => liveColumnOf(view),
    restartTracer: (reason) => supervisor.restart(reason),
  });

  // What this host shows when the daemon looks at itself: programs depend on it.
  let tracer: Tracer | undefined;
  let ended = false;
  const selfCheck = new SelfCheck({ clock, timeoutSeconds: config.bpftrace.start_timeout_seconds });
  const checkSelf = async (found: Tracer): Promise<void> => {
    for (let more = !ended; more; ) {
      const before = selfCheck.findings;
      more = await selfCheck.step(survey, found);
      const { findings } = selfCheck;
      if (ended) return;
      if (findings === before) continue;
      const evidence = survey.lockPaths;
      survey = await settleSurvey(survey, findings, config, rejected, costWatch.shed);
      program = joined();
      metrics.invalidate();
      tellFindings(before, findings, contradicted(evidence, survey.lockPaths), log);
    }
  };

  // The tracer.
  const versionOf = createFileMemory(({ path }: { readonly path: string }, signal) =>
    readVersion([path], process.env, signal),
  );
  const supervisor = new Supervisor({
    clock,
    find: (signal) =>
      findBpftrace({
        path: config.bpftrace.path || 'bpftrace',
        env: process.env,
        versionOf: (found) => versionOf(found, signal),
      }),
    learnDialect: createFileMemory(({ path, version }: FoundBpftrace, signal) =>
      runCanary([path], { version, signal }),
    ),
    startSession,
    typesFile: cTypesFile,
    program: async (found) => {
      const known = tracer?.bpftrace;
      if (
        known !== undefined &&
        (known.path !== found.bpftrace.path || known.version !== found.bpftrace.version)
      ) {
        replanDue ||= rejected.size > 0;
        rejected.clear();
      }
      tracer = found;
      // What is lacking may be there by now, such as tracefs.
      if (replanDue || program === undefined) {
        survey = await surveyHost(config, rejected, selfCheck.findings, costWatch.shed);
        replanDue = false;
        program = joined();
      }
      await checkSelf(found);
      // It may have been taken away since the host was looked at; bpftrace would call the tracepoints unknown.
      if (program?.text.includes('tracepoint:')) findTracefs();
      return program;
    },
    mapKeys,
    startTimeoutSeconds: config.bpftrace.start_timeout_seconds,
    stallRestartSeconds: config.bpftrace.stall_restart_seconds,
    onRecord: apply,
    onState: (state) => tellState(state, log, say),
    onStderr: (line, judgement) => tellStderr(line, judgement, log, say),
    onRejected: (fragment, message) => {
      rejected.set(fragment, message);
      replanDue = true;
      log.error({ fragment, message }, 'bpftrace refused a fragment; the others go on without it');
    },
  });
  const costWatch = keepCostBudget({
    config,
    clock,
    log,
    account: cost,
    inspector,
    supervisor,
    survey: () => survey,
    program: () => program,
    replan: async (now) => {
      replanDue = true;
      if (now) survey = await surveyHost(config, rejected, selfCheck.findings, costWatch.shed);
    },
  });

  const view: DaemonView = {
    config,
    version,
    startedAt,
    get kernel() {
      return survey.kernel;
    },
    ledger,
    plan: () => survey.plan,
    lockPaths: () => survey.lockPaths,
    tracer: () => supervisor.state,
    readiness: () =>
      readinessOf({
        plan: survey.plan,
        host: survey.problems,
        tracer: supervisor.state,
        lastTickAt: ledger.tracer.lastTickAt,
        now: clock.now(),
        budget: view.budget(),
        stallSeconds: config.bpftrace.stall_seconds,
      }),
    cost: () => cost,
    budget: () => costWatch.budget,
    metrics: () => metrics.current(),
    cgroup: cgroupOf,
    processName: namesByTick(
      () => ledger.asOf,
      (pid) => (pidsAreTheirs ? readProcess(pid)?.comm : undefined),
    ),
    stream,
    inspector,
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    timeOfDay: (at) => clock.timeOfDay(at),
    atTimeOfDay: (time) => clock.atTimeOfDay(time),
  };

  // Serve first, so that what goes wrong from here on can be asked for.
  const listeners: Listener[] = await listen(view, log);
  if (config.probes.allow.includes(noProbes)) {
    ledger.tracer.switchedOff(startedAt);
    log.warn(`probes.allow is ${noProbes}: nothing is observed, and no bpftrace is started`);
  } else supervisor.start();

  const stopHouseKeeping = keepHouse({
    clock,
    log,
    cost,
    cgroups,
    tracerPid: () => supervisor.state.pid,
    probeNames: () => program?.probeNames ?? [],
  });
  costWatch.start();

  return {
    view,
    urls: listeners.map(({ url }) => url),
    stop: async () => {
      ended = true;
      stopHouseKeeping();
      selfCheck.stop();
      await Promise.all([inspector.stop(), supervisor.stop(), costWatch.stop()]);
      for (const incident of ledger.incidents.open()) store.keep(incident);
      await store.flush();
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  };
};
