/**
 * What this host shows when the daemon looks at itself: it opens and reads files of its own while the fragments of mode
 * `start` look on, and with them the source of reads that is to run. Once at its start, and before the tracer runs,
 * which would count these reads.
 */
import { type Once, runOnce } from '../bpftrace/process/once.js';
import { startSession } from '../bpftrace/process/session.js';
import { startLimitSeconds } from '../bpftrace/process/start-limit.js';
import type { Tracer } from '../bpftrace/process/tracer.js';
import type { Clock } from '../clock.js';
import { MmaplockError, messageOf } from '../errors.js';
import { inInitialPidNamespace } from '../identity/pid-namespace.js';
import { type OwnFileReads, readOwnFiles } from '../kernel/own-files.js';
import {
  addressesOf,
  type Findings,
  miscountOf,
  nothingFound,
  ownFiles,
  ownFilesFragment,
  processIdsOf,
  registersOf,
} from '../probes/findings.js';
import { lockPathFragment, ownReadsOf } from '../probes/lock-path/behaviour.js';
import { type Choice, joinProgram } from '../probes/program.js';
import type { Tick } from '../records.js';
import type { HostSurvey } from '../survey/survey.js';

export interface SelfCheckOptions {
  readonly clock: Clock;
  /** For each run, on a host where the smallest program starts as fast as usual. */
  readonly timeoutSeconds: number;
}

/** A preemptible kernel may skip a probe, and a count is one short: this many times it is tried before that counts. */
const mostTries = 2;

/** Refused as a whole: a smaller program may do. */
const refusals: ReadonlySet<string> = new Set(['program_rejected', 'attach_incomplete']);

/** Reasons that are meant. */
const byPeople: ReadonlySet<string> = new Set(['switched_off', 'disabled_by_config', 'kind_not_allowed']);

/** From this version on bpftrace gives process ids of its own pid namespace. */
const namespacing = { major: 0, minor: 23 };

export class SelfCheck {
  findings: Findings = nothingFound;
  readonly #options: SelfCheckOptions;
  #looked = false;
  /** How often each source of reads was tried. */
  readonly #tries = new Map<string, number>();
  /** The source that could not be tried. */
  #givenUp: string | undefined;
  #running: Once | undefined;
  #stopped = false;

  constructor(options: SelfCheckOptions) {
    this.#options = options;
  }

  /**
   * Finds out what can be found out with this plan: half a second where there is something, else nothing. Never
   * throws for what this host lacks: see `findings.untried`.
   * @returns whether a plan that follows from it may show more: then it is to be called again with that
   */
  async step(survey: HostSurvey, tracer: Pick<Tracer, 'bpftrace' | 'dialect'>): Promise<boolean> {
    this.#forget(survey);
    if (!this.#looked) this.#tellIfImpossible(survey);
    const source = this.#sourceToTry(survey);
    let failure: MmaplockError | undefined;
    for (const [index, choices] of this.#programs(survey, source).entries()) {
      if (this.#stopped) return false;
      try {
        const { done, tick } = await this.#run(choices, tracer);
        this.#take(choices, source, done, tick);
        // All that was left out is the source: it was that which was refused.
        if (source !== undefined && !choices.includes(source) && index === 1) this.#giveUp(source);
        this.#foldInVersion(tracer);
        return true;
      } catch (error) {
        if (!(error instanceof MmaplockError)) throw error;
        failure ??= error;
        // What hangs is not tried again in parts.
        if (source !== undefined && (this.#looked || !refusals.has(error.code))) this.#giveUp(source);
        if (!refusals.has(error.code)) break;
      } finally {
        if (failure !== undefined) this.findings = { ...this.findings, untried: messageOf(failure) };
      }
    }
    this.#looked = true;
    this.#foldInVersion(tracer);
    return false;
  }

  /** That this kernel does not let it be tried, where something is observed all the same. */
  #tellIfImpossible({ plan, atStart }: HostSurvey): void {
    const why = atStart.refused.find(({ fragment }) => fragment === ownFilesFragment)?.reasons[0];
    if (why === undefined || byPeople.has(why.code) || !plan.observables.waits.observed) return;
    this.findings = { ...this.findings, untried: why.detail };
  }

  /** It is told of as untried, and not tried again. */
  #giveUp(source: Choice): void {
    this.#tries.set(nameOf(source), mostTries);
    this.#givenUp = nameOf(source);
  }

  /** That a source could not be tried is told as long as it is the one to run. */
  #forget({ plan }: HostSurvey): void {
    if (this.#givenUp === undefined || plan.chosen.some((choice) => nameOf(choice) === this.#givenUp)) return;
    this.#givenUp = undefined;
    this.findings = { ...this.findings, untried: undefined };
  }

  /** Gives up at once; no process is left behind when {@link step} is over. */
  stop(): void {
    this.#stopped = true;
    this.#running?.stop();
  }

  /** The source of reads that is to run, and is not proven yet. */
  #sourceToTry({ plan, atStart }: HostSurvey): Choice | undefined {
    const source = plan.chosen.find(({ fragment }) => fragment.tells === 'reads');
    const canTell = atStart.chosen.some(({ fragment }) => fragment.name === ownFilesFragment);
    const tried = source === undefined ? 0 : (this.#tries.get(nameOf(source)) ?? 0);
    return canTell && tried < mostTries ? source : undefined;
  }

  /** Programs to try, each smaller than the one before. */
  #programs({ plan, atStart }: HostSurvey, source: Choice | undefined): readonly (readonly Choice[])[] {
    const own = atStart.chosen.filter(({ fragment }) => fragment.name === ownFilesFragment);
    const counting = source === undefined ? [] : [...neededBy(source, plan.chosen), source];
    const programs = this.#looked
      ? counting.length === 0
        ? []
        : [[...own, ...counting]]
      : [[...atStart.chosen, ...counting], atStart.chosen, own];
    return programs.filter(
      (choices, index) => choices.length > 0 && choices.length !== programs[index - 1]?.length,
    );
  }

  async #run(
    choices: readonly Choice[],
    { bpftrace, dialect }: Pick<Tracer, 'bpftrace' | 'dialect'>,
  ): Promise<{ readonly done: readonly OwnFileReads[]; readonly tick: Tick | undefined }> {
    const { clock, timeoutSeconds } = this.#options;
    let done: readonly OwnFileReads[] = [];
    this.#running = runOnce({
      clock,
      path: bpftrace.path,
      dialect,
      program: joinProgram(choices),
      startSession,
      timeoutSeconds: startLimitSeconds(timeoutSeconds, dialect),
      act: () => {
        done = readOwnFiles(ownFiles, () => clock.monotonic());
      },
    });
    try {
      const tick = await this.#running.counted;
      return { done, tick };
    } finally {
      this.#running = undefined;
    }
  }

  #take(
    choices: readonly Choice[],
    source: Choice | undefined,
    done: readonly OwnFileReads[],
    tick: Tick | undefined,
  ): void {
    const runs = (name: string): boolean => choices.some(({ fragment }) => fragment.name === name);
    const { findings } = this;
    const own = tick?.own ?? { registers: [], operations: [], ids: [undefined, undefined], reads: [] };
    const reads = runs(lockPathFragment) ? ownReadsOf(done, tick?.lockTakes ?? []) : findings.reads;
    this.#looked = true;
    this.findings = {
      ...findings,
      reads,
      registers: registersOf(own, reads),
      ...(runs(ownFilesFragment) && {
        addresses: addressesOf(done, own.operations),
        processIds: processIdsOf(own),
      }),
      ...(source !== undefined &&
        choices.includes(source) && { miscounting: this.#miscounting(source, done, own.reads) }),
    };
  }

  #miscounting(
    source: Choice,
    done: readonly OwnFileReads[],
    told: Tick['own']['reads'],
  ): Findings['miscounting'] {
    const name = nameOf(source);
    const miscount = miscountOf(done, told);
    const tries = (this.#tries.get(name) ?? 0) + 1;
    this.#tries.set(name, miscount === undefined ? mostTries : tries);
    return miscount === undefined || tries < mostTries
      ? this.findings.miscounting
      : new Map([...this.findings.miscounting, [name, miscount]]);
  }

  /** Where ids were not seen, the version of bpftrace tells. */
  #foldInVersion({ bpftrace }: Pick<Tracer, 'bpftrace'>): void {
    if (this.findings.processIds !== undefined || inInitialPidNamespace()) return;
    const [major = 0, minor = 0] = bpftrace.version.split('.').map(Number);
    if (major > namespacing.major || minor >= namespacing.minor)
      this.findings = { ...this.findings, processIds: 'namespaced' };
  }
}

const nameOf = ({ fragment }: Choice): string => fragment.name;

/** What a source cannot do without. */
const neededBy = ({ fragment }: Choice, chosen: readonly Choice[]): Choice[] =>
  chosen.filter((other) => fragment.needs.fragments.includes(nameOf(other)));
