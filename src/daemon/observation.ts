/**
 * What is known of this host, and the program that follows from it. It changes while the daemon runs: bpftrace refuses a
 * fragment, the daemon finds something out about itself, the budget takes something away. Whoever asks gets what holds
 * now.
 */
import type { Tracer } from '../bpftrace/process/tracer.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import { findTracefs } from '../kernel/tracefs.js';
import type { Log } from '../log/log.js';
import { inspectProgram } from '../probes/inspection.js';
import { contradicted } from '../probes/lock-path/behaviour.js';
import { mapKeysOn } from '../probes/map-budget.js';
import { joinProgram, type Program } from '../probes/program.js';
import { type HostSurvey, settleSurvey, surveyHost } from '../survey/survey.js';
import type { ShedStep } from '../vocabulary.js';
import { SelfCheck } from '../watch/lock-path-check.js';
import { tellFindings } from './report-findings.js';

export interface ObservationOptions {
  readonly clock: Clock;
  readonly log: Log;
}

export class Observation {
  readonly #config: Config;
  readonly #log: Log;
  readonly #check: SelfCheck;
  /** What bpftrace said of each fragment that it refused. */
  readonly #rejected = new Map<string, string>();
  #shed: readonly ShedStep[] = [];
  /** What the program follows from has changed, and it has not. */
  #due = false;
  #survey: HostSurvey;
  #program: Program | undefined;
  #tracer: Tracer | undefined;
  #ended = false;

  private constructor(config: Config, { clock, log }: ObservationOptions, survey: HostSurvey) {
    this.#config = config;
    this.#log = log;
    this.#check = new SelfCheck({ clock, timeoutSeconds: config.bpftrace.start_timeout_seconds });
    this.#survey = survey;
    this.#program = programOf(survey);
  }

  /**
   * Looks at this host.
   * @throws MmaplockError as {@link surveyHost} does
   */
  static async begin(config: Config, options: ObservationOptions): Promise<Observation> {
    return new Observation(config, options, await surveyHost(config));
  }

  get survey(): HostSurvey {
    return this.#survey;
  }

  /** The program of watch mode; undefined where no probe can run. */
  get program(): Program | undefined {
    return this.#program;
  }

  /** What ran it last; undefined while none is known. */
  get tracer(): Tracer | undefined {
    return this.#tracer;
  }

  /** Keys of each map of a program, at most. */
  mapKeys(program: Program): number {
    return mapKeysOn(program.text, this.#config.limits, this.#survey.kernel.possibleCpus);
  }

  /**
   * The program of inspect mode.
   * @throws MmaplockError `inspect_unavailable`, `inspect_shed`
   */
  inspection(): Program {
    return inspectProgram(this.#survey.inspection, this.#shed);
  }

  /**
   * The program for a tracer that was found and is to run it: the host is looked at again where that may show more, and
   * the daemon looks at itself first, for no tracer may count that.
   * @throws MmaplockError where tracefs has gone
   */
  async programFor(tracer: Tracer): Promise<Program | undefined> {
    if (isAnother(this.#tracer, tracer)) {
      this.#due ||= this.#rejected.size > 0;
      this.#rejected.clear();
    }
    this.#tracer = tracer;
    // What is lacking may be there by now, such as tracefs.
    if (this.#due || this.#program === undefined) await this.#lookAgain();
    await this.#checkSelf(tracer);
    // It may have been taken away since the host was looked at; bpftrace would call the tracepoints unknown.
    if (this.#program?.text.includes('tracepoint:')) findTracefs();
    return this.#program;
  }

  /** bpftrace refused a fragment: the next program goes on without it. */
  reject(fragment: string, message: string): void {
    this.#rejected.set(fragment, message);
    this.#due = true;
    this.#log.error({ fragment, message }, 'bpftrace refused a fragment; the others go on without it');
  }

  /**
   * These steps are given up from now on: the next program goes on without them.
   * @param now where there is to be no next program, for the plan says why
   */
  async shed(steps: readonly ShedStep[], now: boolean): Promise<void> {
    this.#shed = steps;
    this.#due = true;
    if (now) this.#survey = await this.#surveyAnew();
  }

  end(): void {
    this.#ended = true;
    this.#check.stop();
  }

  #surveyAnew(): Promise<HostSurvey> {
    return surveyHost(this.#config, this.#rejected, this.#check.findings, this.#shed);
  }

  async #lookAgain(): Promise<void> {
    this.#survey = await this.#surveyAnew();
    this.#due = false;
    this.#program = programOf(this.#survey);
  }

  /** What this host shows when the daemon looks at itself: programs depend on it. */
  async #checkSelf(tracer: Tracer): Promise<void> {
    for (let more = !this.#ended; more; ) {
      const before = this.#check.findings;
      more = await this.#check.step(this.#survey, tracer);
      const { findings } = this.#check;
      if (this.#ended) return;
      if (findings === before) continue;
      const evidence = this.#survey.lockPaths;
      this.#survey = await settleSurvey(this.#survey, findings, this.#config, this.#rejected, this.#shed);
      this.#program = programOf(this.#survey);
      tellFindings(before, findings, contradicted(evidence, this.#survey.lockPaths), this.#log);
    }
  }
}

const programOf = ({ plan }: HostSurvey): Program | undefined =>
  plan.chosen.length === 0 ? undefined : joinProgram(plan.chosen);

/** Whether another bpftrace was found than before: it may take what that one refused. */
const isAnother = (known: Tracer | undefined, found: Tracer): boolean =>
  known !== undefined &&
  (known.bpftrace.path !== found.bpftrace.path || known.bpftrace.version !== found.bpftrace.version);
