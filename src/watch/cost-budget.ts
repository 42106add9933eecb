/**
 * Looks after what the probes cost: takes samples, more often while they are over the budget, and says what is to be
 * given up and what may come back. It carries nothing out.
 */
import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import type { CostAccount, ProbeCost } from '../cost/account.js';
import { Budget, type BudgetChange, budgetRatio } from '../cost/budget.js';
import type { Cause } from '../cost/cause.js';
import { type CostSample, type RunningSample, startSample } from '../cost/sample.js';
import type { StatsSwitch } from '../cost/stats-switch.js';
import type { TracerCost } from '../cost/tracer.js';
import { MmaplockError } from '../errors.js';
import type { Log } from '../log/log.js';
import type { ShedStep } from '../vocabulary.js';
import { type BudgetState, type Problem, problemOf } from './readiness.js';

/** Seconds from one sample to the next at most: while nothing is wrong, and while the probes are over the budget. */
const calmSeconds = 60;
const overSeconds = 10;
/** From the start of a tracer to its first sample: what it does when it starts is not what it costs. */
const firstSeconds = 5;

/** From one look at who makes the probes run to the next at least, and how many of them it is about. */
const causeSeconds = 300;
const mostCausing = 6;

/** Whom the cost was of, and when: by the clock of the daemon. */
export type FoundCause = Cause & { readonly at: number };

/** What the budget has come to, and what it rests on. */
export interface BudgetView extends BudgetState {
  /** In the last sample, dearest first. */
  readonly probes: readonly ProbeCost[];
  /** Whom the cost is of, as it was found when something had to be given up. */
  readonly cause: FoundCause | undefined;
  /** Why the cost of probes is not known, so that the budget is not kept; undefined where it is. */
  readonly unmeasured: Problem | undefined;
}

/** The tracer of the watch program. */
export interface WatchedTracer {
  readonly pid: number;
  readonly probes: readonly string[];
}

export interface CostWatchOptions {
  readonly config: Config['cost'];
  /** That are online. */
  readonly cpus: number;
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'after'>;
  readonly log: Pick<Log, 'warn' | 'info'>;
  readonly account: CostAccount;
  readonly stats: StatsSwitch;
  /** While it observes. */
  readonly tracer: () => WatchedTracer | undefined;
  readonly inspectPid: () => number | undefined;
  readonly read: (pid: number) => TracerCost | undefined;
  /** What can be given up on this host, in this order. */
  readonly sheddable: () => readonly ShedStep[];
  /**
   * Looks for a second who makes the dearest probes run. It may reject.
   * @param costs of them, by name
   */
  readonly findCause: (costs: ReadonlyMap<string, number>, signal: AbortSignal) => Promise<Cause | undefined>;
  readonly onChange: (change: BudgetChange) => void;
}

export class CostWatch {
  /** Why the cost is not known, if so. */
  unmeasured: MmaplockError | undefined;
  readonly #options: CostWatchOptions;
  readonly #budget: Budget;
  /** Of one core. */
  readonly #percent: number;
  #cancel = (): void => {};
  #sample: RunningSample | undefined;
  readonly #atExit = (): void => this.#options.stats.off();
  #stopped = false;
  #pid: number | undefined;
  /** What is counted reaches to here. */
  #accountedTo = 0;
  #cause: FoundCause | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  readonly #ending = new AbortController();
  #looking: Promise<unknown> = Promise.resolve();

  constructor(options: CostWatchOptions) {
    this.#options = options;
    const { budget_percent, over_seconds, quiet_seconds } = options.config;
    const ratio = budgetRatio(budget_percent, options.cpus);
    this.#percent = Number((ratio * 100).toFixed(3));
    this.#budget = new Budget({
      ratio,
      overMilliseconds: over_seconds * 1000,
      quietMilliseconds: quiet_seconds * 1000,
    });
    if (options.config.measure === 'on') options.account.probeRunSeconds = 0;
    else
      this.unmeasured = new MmaplockError('probe_cost_unmeasured', 'cost.measure is off', {
        fix: 'Set cost.measure to on, and start mmaplockd again; until then the cost budget is not kept.',
      });
  }

  /** Given up so far, in the order in which it was. */
  get shed(): readonly ShedStep[] {
    return this.#budget.shed;
  }

  /** For people: the status and /-/ready. */
  get budget(): BudgetView {
    const { account } = this.#options;
    return {
      percent: this.#percent,
      shed: this.shed,
      exceeded: this.#budget.exceeded,
      ratio: account.probeCostRatio,
      probes: account.probes,
      cause: this.#cause,
      unmeasured: this.unmeasured && problemOf(this.unmeasured),
    };
  }

  /** {@link stop} was called. */
  get stopped(): boolean {
    return this.#stopped;
  }

  start(): void {
    const { config, stats, log } = this.#options;
    if (stats.restore())
      log.warn('kernel.bpf_stats_enabled was left on by a daemon that was killed: it is off again');
    if (config.measure === 'off') return;
    // Also where nobody asks it to stop: a daemon that an error ends must not leave them on.
    process.once('exit', this.#atExit);
    this.#again(this.#firstPace());
  }

  /** The statistics are as they were at once; resolves when nothing is left running. */
  async stop(): Promise<void> {
    this.#stopped = true;
    process.off('exit', this.#atExit);
    this.#cancel();
    this.#sample?.cancel();
    this.#options.stats.off();
    this.#ending.abort();
    await this.#looking;
  }

  #again(seconds: number): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(seconds * 1000, () => void this.#look());
  }

  /** Seconds to the next sample: often enough for the times that the operator set. */
  #pace(): number {
    const { over_seconds, quiet_seconds } = this.#options.config;
    if (this.#budget.over) return Math.min(overSeconds, over_seconds / 4);
    return Math.min(calmSeconds, this.shed.length === 0 ? over_seconds / 2 : quiet_seconds / 4);
  }

  #firstPace(): number {
    return Math.min(firstSeconds, this.#pace());
  }

  async #look(): Promise<void> {
    const { clock } = this.#options;
    const tracer = this.#options.tracer();
    if (this.shed.includes('waits')) {
      // Nothing runs, so it costs nothing; that is how long it has to be quiet for.
      this.#options.account.withoutProbeSample();
      await this.#take({ at: clock.monotonic(), ratio: 0 });
    } else if (tracer === undefined) {
      this.#options.account.withoutProbeSample();
      this.#pid = undefined;
    } else if (tracer.pid !== this.#pid) {
      this.#pid = tracer.pid;
      this.#accountedTo = clock.monotonic();
      this.#again(this.#firstPace());
      return;
    } else if (!(await this.#measure(tracer))) return;
    this.#again(tracer === undefined ? this.#firstPace() : this.#pace());
  }

  /** Whether to go on: not where it cannot be measured. */
  async #measure(tracer: WatchedTracer): Promise<boolean> {
    const { clock, stats, read, account, log, inspectPid } = this.#options;
    const tracers = (): number[] => {
      const second = inspectPid();
      return this.#options.tracer()?.pid === tracer.pid
        ? [tracer.pid, ...(second === undefined ? [] : [second])]
        : [];
    };
    this.#sample = startSample({ clock, stats, tracers, read });
    let sample: CostSample | undefined;
    try {
      sample = await this.#sample.done;
    } catch (error) {
      if (!(error instanceof MmaplockError)) throw error;
      this.unmeasured = error;
      if (account.probeRunSeconds === 0) account.probeRunSeconds = undefined;
      account.withoutProbeSample();
      log.warn({ err: error }, 'what the probes cost is not known, so their budget is not kept');
      return false;
    } finally {
      this.#sample = undefined;
    }
    if (sample === undefined) return true;
    account.addProbeSample(sample, (sample.endedAt - this.#accountedTo) / 1000, tracer);
    this.#accountedTo = sample.endedAt;
    await this.#take({ at: sample.endedAt, ratio: sample.ratio });
    return true;
  }

  async #take(point: { readonly at: number; readonly ratio: number }): Promise<void> {
    const { log, onChange } = this.#options;
    if (this.#budget.isDue(point)) await this.#lookForCause(point.at);
    if (this.#stopped) return;
    const wasExceeded = this.#budget.exceeded;
    // What there is to give up may have changed while it was looked.
    const change = this.#budget.take(point, this.#options.sheddable());
    const percent = (ratio: number): number => Number((ratio * 100).toFixed(3));
    const cost = { cost_percent: percent(point.ratio), budget_percent: this.#percent };
    const cause = this.#cause === undefined ? {} : figuresOf(this.#cause);
    if (this.#budget.exceeded && !wasExceeded)
      log.warn(
        { ...cost, ...cause },
        'the probes cost more than their budget, and nothing is left to give up',
      );
    if (change === undefined) return;
    const figures = {
      step: change.step,
      ...cost,
      for_seconds: Math.round(change.lastedMilliseconds / 1000),
      shed: this.shed.join(' '),
    };
    if (change.kind === 'shed')
      log.warn(
        { ...figures, ...cause },
        `the probes cost more than their budget: ${change.step} is given up`,
      );
    else log.info(figures, `the probes cost less than half their budget: ${change.step} comes back`);
    if (this.shed.length === 0) this.#cause = undefined;
    onChange(change);
  }

  /** It takes a start of bpftrace, so not at each sample. */
  async #lookForCause(at: number): Promise<void> {
    if (at - this.#lookedAt < causeSeconds * 1000) return;
    this.#lookedAt = at;
    const { account, clock, findCause, log } = this.#options;
    const look = async (): Promise<void> => {
      try {
        const found = await findCause(dearestOf(account.probes), this.#ending.signal);
        this.#cause = found && { ...found, at: clock.now() };
      } catch (error) {
        this.#cause = undefined;
        if (!this.#stopped) log.warn({ err: error }, 'it is not known whom the cost of the probes is of');
      }
    };
    this.#looking = look();
    await this.#looking;
  }
}

/** By name, which the begin and the end of a function share. */
const dearestOf = (probes: readonly ProbeCost[]): Map<string, number> => {
  const costs = new Map<string, number>();
  for (const { probe, ratio } of probes)
    if (!probe.startsWith('interval:')) costs.set(probe, (costs.get(probe) ?? 0) + ratio);
  return new Map([...costs].sort((a, b) => b[1] - a[1]).slice(0, mostCausing));
};

const figuresOf = ({ cgroup, user }: Cause) => ({
  cgroup_id: cgroup.id,
  cgroup_percent: Number((cgroup.share * 100).toFixed(1)),
  uid: user.uid,
  uid_percent: Number((user.share * 100).toFixed(1)),
});
