/**
 * Keeps one tracer running: finds bpftrace, learns its dialect, starts it, watches that it attaches and ticks, and
 * starts it again when it ends, less and less eagerly while it fails.
 */
import type { Clock } from '../../clock.js';
import { codedError, MmaplockError } from '../../errors.js';
import { GivenUp } from '../../probes/give-up.js';
import { areAllProbes, type Program } from '../../probes/program.js';
import type { RestartReason } from '../../vocabulary.js';
import type { Dialect } from '../decode/dialect.js';
import type { FoundBpftrace } from '../find.js';
import { each } from './each.js';
import type { Session, SessionEnd, SessionOptions } from './session.js';
import { startLimitSeconds } from './start-limit.js';
import { ofHost } from './stderr.js';
import type { Tracer, TracerHandlers, TracerState } from './tracer.js';
import { wasKilled, whyEnded } from './why-ended.js';

export interface SupervisorOptions {
  readonly clock: Clock;
  /** Given up where the signal says so: it is to end. */
  readonly find: (signal: AbortSignal) => Promise<FoundBpftrace>;
  readonly learnDialect: (found: FoundBpftrace, signal: AbortSignal) => Promise<Dialect>;
  readonly startSession: (options: SessionOptions) => Session;
  /** The program to run, asked for at each start, of what will run it; undefined while there is nothing to run. */
  readonly program: (tracer: Tracer) => Promise<Program | undefined>;
  /** Keys of each map at most. */
  readonly mapKeys: (program: Program) => number;
  /** A BTF of plain C types, for programs that need no others; see src/kernel/c-types.ts. */
  readonly typesFile?: string;
  /** See start-limit.ts. */
  readonly startTimeoutSeconds: number;
  /** Without a tick for this long, the tracer is started again. */
  readonly stallRestartSeconds: number;
}

interface Outcome {
  readonly reason: RestartReason;
  readonly error: MmaplockError | undefined;
  readonly handedOver: boolean;
  readonly seenUntil?: number;
  /** It observed for a while: the next start need not wait. */
  readonly worked: boolean;
}

const nothingLost = { error: undefined, handedOver: true, worked: true };

const firstRetryMilliseconds = 100;
const lastRetryMilliseconds = 30_000;

/** Between two looks whether the tracer ends: 0.3 ms each, for they wake a process that sleeps. Ten a second are 0.3 % of a core. */
const lookMilliseconds = 500;
const secondLookMilliseconds = 50; // once it seems to end

export class Supervisor {
  state: TracerState;
  readonly #options: SupervisorOptions;
  #session: Session | undefined;
  /** Set while a session is being ended on purpose. */
  #planned: RestartReason | 'stop' | undefined;
  #stopReason: RestartReason = 'replan';
  #wake: (() => void) | undefined;
  /** Ends what is asked of bpftrace before a tracer runs. */
  #ending = new AbortController();
  #finished: Promise<void> | undefined;
  /** Ends of tracers that are over, and not yet gone. */
  readonly #leaving = new Set<Promise<SessionEnd>>();
  readonly #givenUp = new GivenUp((fragment, message) => this.#told.onRejected(fragment, message));
  #handlers: TracerHandlers | undefined;
  /** Tracers in a row that were not ready in time. */
  #late = 0;
  /** The bpftrace that once ended before it was ready, with the types of {@link SupervisorOptions.typesFile} alone. */
  #wantsKernelTypes: string | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.state = { phase: 'stopped', since: options.clock.now() };
  }

  /** Who is told from now on; to be called before {@link start}. */
  connect(handlers: TracerHandlers): void {
    this.#handlers = handlers;
  }

  get #told(): TracerHandlers {
    if (this.#handlers === undefined) throw new Error('the supervisor is not connected');
    return this.#handlers;
  }

  /** Starts, and goes on until {@link stop}; also after one. */
  start(): void {
    this.#planned = undefined;
    this.#ending = new AbortController();
    this.#finished = this.#run();
  }

  /** Ends the tracer in order, and counts the gap by that reason; resolves when no process of it is left. */
  async stop(reason: RestartReason = 'replan'): Promise<void> {
    this.#planned = 'stop';
    this.#stopReason = reason;
    this.#session?.stop();
    this.#ending.abort();
    this.#wake?.();
    await this.#finished;
    await Promise.all(this.#leaving);
  }

  /** A planned restart; what the tracer has counted is handed over first. */
  restart(reason: RestartReason): void {
    if (this.#session === undefined) {
      this.#wake?.();
    } else if (this.#planned === undefined) {
      this.#planned = reason;
      this.#session.stop();
    }
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    let failures = 0;
    while (this.#planned !== 'stop') {
      const outcome = await this.#once();
      this.#told.onRecord({
        kind: 'tracer_stopped',
        at: clock.now(),
        reason: outcome.reason,
        handedOver: outcome.handedOver,
        ...(outcome.seenUntil === undefined ? {} : { seenUntil: outcome.seenUntil }),
      });
      if (this.#stopping()) break;
      failures = outcome.worked ? 0 : failures + 1;
      const wait = Math.min(firstRetryMilliseconds * 2 ** Math.max(0, failures - 1), lastRetryMilliseconds);
      this.#become({ phase: 'waiting', error: outcome.error, nextTryAt: clock.now() + wait });
      await this.#pause(wait);
    }
    this.#become({ phase: 'stopped' });
  }

  readonly #stopping = (): boolean => this.#planned === 'stop';

  /** One tracer from start to end. */
  async #once(): Promise<Outcome> {
    const { clock, find, learnDialect, startSession, program: currentProgram } = this.#options;
    const { onRecord, onStderr } = this.#told;
    const { error: lastError } = this.state;
    this.#become({ phase: 'starting', error: lastError });
    const failed = (reason: RestartReason, error: MmaplockError): Outcome => ({
      reason,
      error,
      handedOver: true,
      worked: false,
    });

    const asAsked = (): Outcome => ({ ...nothingLost, reason: this.#stopReason });
    let bpftrace: FoundBpftrace;
    let dialect: Dialect;
    let program: Program | undefined;
    try {
      bpftrace = await find(this.#ending.signal);
      dialect = await learnDialect(bpftrace, this.#ending.signal);
      program = await currentProgram({ bpftrace, dialect });
    } catch (error) {
      return this.#stopping() ? asAsked() : failed('missing', codedError(error));
    }
    if (this.#stopping()) return asAsked();
    const nothing = new MmaplockError('nothing_observable', 'no probe can run on this host');
    if (program === undefined) return failed('missing', nothing);
    this.#planned = undefined;
    const version = `${bpftrace.path} ${bpftrace.version}`;
    this.#givenUp.triedBy(version);

    // Silence is told by a clock that nobody sets: a corrected time of day must not end a healthy tracer.
    const startedAt = clock.monotonic();
    const startSeconds = startLimitSeconds(this.#options.startTimeoutSeconds, dialect, this.#late);
    let attached: number | undefined;
    let lastSign = startedAt;
    let ready = false;
    let progress = false;
    let giveUp: { reason: RestartReason; error: MmaplockError } | undefined;

    const typesFile =
      program.needsKernelTypes || this.#wantsKernelTypes === version ? undefined : this.#options.typesFile;
    const session = startSession({
      path: bpftrace.path,
      program,
      dialect,
      mapKeys: this.#options.mapKeys(program),
      typesFile,
      now: () => clock.now(),
      onStderr: (line, judgement) => {
        onStderr(line, judgement);
        // Up to 0.23 a probe that was skipped shows nowhere else: the number told is the one wanted.
        if (judgement.code !== 'attach_incomplete' || ready) return;
        const origin = program.fragmentNamedIn(line, true);
        if (origin && this.#givenUp.refused(program, line, origin.fragment)) progress = true;
        giveUp ??= { reason: 'attach', error: new MmaplockError('attach_incomplete', line) };
        session.kill();
      },
      onAttached: (probes) => {
        attached = probes;
        if (areAllProbes(program, probes)) return;
        const said = `${probes} of ${program.probes} probes attached`;
        giveUp = { reason: 'attach', error: new MmaplockError('attach_incomplete', said) };
        session.kill();
      },
      onRecord: (record) => {
        if (record.kind === 'tick') {
          if (giveUp !== undefined || attached === undefined) return;
          lastSign = clock.monotonic();
          if (!ready) {
            ready = true;
            this.#givenUp.accepted();
            this.#late = 0;
            onRecord({ kind: 'tracer_started', at: record.at });
            this.#become({ phase: 'observing', pid: session.pid, bpftrace, dialect });
          }
        }
        onRecord(record);
      },
    });
    this.#session = session;
    this.#become({ phase: 'starting', error: lastError, pid: session.pid, bpftrace, dialect });

    const stopLooking = each(clock, lookMilliseconds, () =>
      session.look() ? secondLookMilliseconds : undefined,
    );
    const stopWatching = each(clock, 1000, (stoodStill) => {
      // It is silent while its probes go, and the session knows for how long it may be.
      if (this.#planned !== undefined && giveUp === undefined) {
        session.stop();
        return;
      }
      lastSign += stoodStill;
      const silence = (clock.monotonic() - lastSign) / 1000;
      if (ready && silence > this.#options.stallRestartSeconds) {
        const error = new MmaplockError('ticks_stalled', `no tick for ${silence.toFixed(0)} s`);
        giveUp ??= { reason: 'stalled', error };
        session.kill();
      } else if (!ready && silence > startSeconds) {
        const error = new MmaplockError('tracer_start_timeout', `not ready after ${silence.toFixed(0)} s`);
        giveUp ??= { reason: 'timeout', error };
        this.#late += 1;
        session.kill();
      }
    });
    const end = await session.over;
    stopLooking();
    stopWatching();
    this.#leaving.add(session.ended);
    void session.ended.then(() => this.#leaving.delete(session.ended));
    this.#session = undefined;

    const worked = ready && clock.monotonic() - startedAt > 2000;
    if (this.#planned !== undefined) {
      const reason = this.#planned === 'stop' ? this.#stopReason : this.#planned;
      return { ...nothingLost, reason, handedOver: end.orderly, seenUntil: end.seenUntil };
    }
    if (giveUp?.reason === 'attach') progress ||= this.#givenUp.refused(program, giveUp.error.message);
    if (giveUp !== undefined) return { ...giveUp, handedOver: false, worked: worked || progress };
    // Whatever it dislikes: before a fragment is given up for it, it shall have all types.
    if (typesFile !== undefined && !ready && !wasKilled(end)) {
      this.#wantsKernelTypes = version;
      return { ...nothingLost, reason: 'rejected' };
    }
    const { reason, error, origin } = whyEnded(end, ready, program);
    if (reason === 'rejected' && !ofHost.has(error.code))
      progress = this.#givenUp.refused(program, error.message, origin?.fragment);
    return { reason, error, handedOver: end.orderly && ready, worked: worked || progress };
  }

  /** Waits, unless woken. */
  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(milliseconds, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  #become(state: Omit<TracerState, 'since'>): void {
    const { bpftrace, dialect } = this.state;
    this.state = { bpftrace, dialect, ...state, since: this.#options.clock.now() };
    this.#told.onState(this.state);
  }
}
