/** Keeps to the cost budget: carries out what it asks for, which is another program, none at all, or one again. */
import { cpus } from 'node:os';
import { startLimitSeconds } from '../bpftrace/process/start-limit.js';
import type { Supervisor } from '../bpftrace/process/supervise.js';
import { countWhoRuns } from '../bpftrace/who-runs.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import type { CostAccount } from '../cost/account.js';
import type { BudgetChange } from '../cost/budget.js';
import { causeOf } from '../cost/cause.js';
import { StatsSwitch } from '../cost/stats-switch.js';
import { readTracerCost } from '../cost/tracer.js';
import { isWorthGivingUp } from '../cost/worth.js';
import type { Log } from '../log/log.js';
import { attachedIn } from '../probes/fragment/probes.js';
import { probesOfStep } from '../probes/shed.js';
import { cTypesFile } from '../survey/survey.js';
import type { ShedStep } from '../vocabulary.js';
import { CostWatch } from '../watch/cost-budget.js';
import type { Inspector } from '../watch/inspector.js';
import type { Observation } from './observation.js';

export interface BudgetKeeperOptions {
  readonly config: Pick<Config, 'bpftrace' | 'cost' | 'incidents' | 'inspect' | 'probes'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly account: CostAccount;
  readonly inspector: Pick<Inspector, 'pid'>;
  readonly supervisor: Pick<Supervisor, 'state' | 'restart' | 'stop' | 'start'>;
  readonly observation: Pick<Observation, 'program' | 'survey' | 'shed'>;
}

/** Gives what watches the cost; it is yet to be started. */
export const keepCostBudget = (options: BudgetKeeperOptions): CostWatch => {
  const { config, supervisor, observation } = options;
  let paused = Promise.resolve();
  const carryOut = async ({ kind, step }: BudgetChange): Promise<void> => {
    await observation.shed(watch.shed, false);
    if (step === 'inspect') return;
    if (step !== 'waits') supervisor.restart('budget');
    else if (kind === 'shed') {
      paused = supervisor.stop('budget');
      await observation.shed(watch.shed, true);
    } else {
      await paused;
      if (!watch.stopped) supervisor.start();
    }
  };
  const { inspect } = config;
  const inspectStep: readonly ShedStep[] =
    inspect.api === 'on' || inspect.on_incident === 'on' ? ['inspect'] : [];
  const positions = { ...config.probes, watched_victims: 'on' };
  /** Waits cost all there is by then. */
  const isWorth = (step: ShedStep): boolean => {
    const running = observation.survey.plan.chosen.map(({ fragment }) => fragment);
    return (
      step === 'waits' ||
      isWorthGivingUp(options.account.probes, probesOfStep(running, positions, watch.shed, step))
    );
  };
  const watch = new CostWatch({
    config: config.cost,
    cpus: cpus().length,
    clock: options.clock,
    log: options.log,
    account: options.account,
    stats: new StatsSwitch({ directory: config.incidents.directory }),
    tracer: () => {
      const { phase, pid } = supervisor.state;
      const probes = observation.program?.probeNames;
      return phase === 'observing' && pid !== undefined && probes !== undefined ? { pid, probes } : undefined;
    },
    inspectPid: () => options.inspector.pid,
    read: readTracerCost,
    sheddable: () => [
      ...inspectStep,
      ...observation.survey.sheddable.filter(
        (step) => (step !== 'waits' || config.cost.shed_waits === 'on') && isWorth(step),
      ),
    ],
    findCause: async (costs, signal) => {
      const { bpftrace, dialect } = supervisor.state;
      const text = observation.program?.text;
      if (bpftrace === undefined || dialect === undefined || text === undefined) return undefined;
      // Where bpftrace makes one program of two probes, what each costs is not known: all count the same.
      const all = attachedIn(text);
      const known = costs.size > 0 ? costs : new Map(all.map(({ name }) => [name, 1]));
      const names = new Map(all.flatMap(({ attach, name }) => (known.has(name) ? [[attach, name]] : [])));
      if (names.size === 0) return undefined;
      const runs = await countWhoRuns({
        path: bpftrace.path,
        dialect,
        probes: [...names.keys()],
        typesFile: cTypesFile,
        startSeconds: startLimitSeconds(config.bpftrace.start_timeout_seconds, dialect),
        signal,
      });
      return causeOf(
        runs.map((one) => ({ ...one, probe: names.get(one.probe)! })),
        known,
      );
    },
    onChange: (change) => void carryOut(change),
  });
  return watch;
};
