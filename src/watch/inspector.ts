/**
 * Inspect mode: a second tracer, for seconds, that sees how long readers really hold mmap_lock, and where in the kernel
 * the writers stand. At most one at a time.
 */
import type { SessionEnd, SessionOptions, startSession } from '../bpftrace/process/session.js';
import { startLimitSeconds } from '../bpftrace/process/start-limit.js';
import type { Tracer } from '../bpftrace/process/tracer.js';
import type { Clock } from '../clock.js';
import { MmaplockError } from '../errors.js';
import { Ledger } from '../ledger/ledger.js';
import type { BlockEntry } from '../ledger/lists/block-list.js';
import { areAllProbes, type Program } from '../probes/program.js';
import type { HoldRow, Tick, TracerRecord, WriterStack } from '../records.js';

/** A second tracer is looked after for so long at most: it costs what design allows for seconds, never for ever. */
export const longestInspectSeconds = 10;

/** What was seen from one time to another, by the clock of the daemon. */
export interface Inspected {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Who made whom wait, by overlap of real holds; the part that no reader had is a row without a reader. */
  readonly blocks: readonly BlockEntry[];
  readonly holds: readonly HoldRow[];
  readonly stacks: readonly WriterStack[];
  /** False where bpftrace lost events, a map was full, or the last it said could not be understood. */
  readonly complete: boolean;
}

export interface InspectorOptions {
  readonly clock: Clock;
  readonly startSession: typeof startSession;
  /** The program of inspect mode on this host. Throws MmaplockError `inspect_unavailable` where there is none. */
  readonly program: () => Program;
  /** What runs it; undefined while none is known. */
  readonly tracer: () => Pick<Tracer, 'bpftrace' | 'dialect'> | undefined;
  readonly mapKeys: (program: Program) => number;
  /** For bpftrace to get ready. */
  readonly startTimeoutSeconds: number;
  /** It is ready: what it must be told (files that are open already) can be told now. */
  readonly onStarted: () => unknown;
  /** Told at each tick, and before it is asked to end: its process will be gone soon, and what it cost with it. */
  readonly onSign?: (pid: number) => void;
}

/** Milliseconds after which it is asked again to end: see {@link startSession} for why once may not do. */
const askAgainMilliseconds = 200;

/** Nobody starts this tracer again. */
const fix = 'Try it again; `mmaplockd dump-program --inspect` prints the program, to run it by hand.';

export class Inspector {
  /** Seconds in which inspect mode was on, so far. */
  seconds = 0;
  readonly #options: InspectorOptions;
  #end: ((error: MmaplockError) => void) | undefined;
  #running: Promise<Inspected> | undefined;
  #stopped = false;
  #pid: number | undefined;

  constructor(options: InspectorOptions) {
    this.#options = options;
  }

  get running(): boolean {
    return this.#running !== undefined;
  }

  /** Process id of its tracer, while that runs. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /**
   * Looks for so many seconds, from when the probes are attached.
   *
   * Rejects with an MmaplockError: `inspect_running`, `inspect_unavailable`, `attach_incomplete`,
   * `tracer_start_timeout`, `tracer_killed`, `program_rejected` or what else the tracer ended of. No process is left
   * behind either way.
   */
  async inspect(seconds: number): Promise<Inspected> {
    if (this.#stopped) throw new MmaplockError('inspect_unavailable', 'the daemon ends');
    if (this.#running !== undefined) throw new MmaplockError('inspect_running', 'inspect mode is on already');
    this.#running = this.#run(Math.min(seconds, longestInspectSeconds));
    try {
      return await this.#running;
    } finally {
      this.#running = undefined;
      this.#end = undefined;
    }
  }

  /** Gives up what runs, and waits until its process is gone. Nothing is started after that. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#end?.(new MmaplockError('tracer_killed', 'the daemon ends'));
    await this.#running?.catch(() => {});
  }

  async #run(seconds: number): Promise<Inspected> {
    const { clock, onStarted } = this.#options;
    const program = this.#options.program();
    const tracer = this.#options.tracer();
    if (tracer === undefined) throw new MmaplockError('inspect_unavailable', 'no bpftrace was found yet');
    const startSeconds = startLimitSeconds(this.#options.startTimeoutSeconds, tracer.dialect);
    const seen = new Seen();
    let failure: MmaplockError | undefined;
    let cancel = (): void => {};
    const tellOfIt = (): void => {
      if (session.pid !== undefined) this.#options.onSign?.(session.pid);
    };
    const askToEnd = (): void => {
      tellOfIt();
      session.stop();
      cancel = clock.after(askAgainMilliseconds, askToEnd);
    };
    const giveUp = (error: MmaplockError): void => {
      failure ??= error;
      session.kill();
    };
    const sessionOptions: SessionOptions = {
      path: tracer.bpftrace.path,
      program,
      dialect: tracer.dialect,
      mapKeys: this.#options.mapKeys(program),
      now: () => clock.now(),
      onAttached: (probes) => {
        if (areAllProbes(program, probes)) return;
        const message = `${probes} of ${program.probes} probes attached`;
        giveUp(new MmaplockError('attach_incomplete', message, { fix }));
      },
      onStderr: (line, { code }) => {
        if (code === 'attach_incomplete') giveUp(new MmaplockError(code, line, { fix }));
      },
      onRecord: (record) => {
        if (record.kind === 'tick') tellOfIt();
        if (!seen.take(record)) return;
        cancel();
        onStarted();
        cancel = clock.after(seconds * 1000, askToEnd);
      },
    };
    const session = this.#options.startSession(sessionOptions);
    cancel = clock.after(startSeconds * 1000, () =>
      giveUp(new MmaplockError('tracer_start_timeout', `not ready after ${startSeconds} s`, { fix })),
    );
    this.#end = giveUp;
    this.#pid = session.pid;
    const end = await session.ended;
    this.#pid = undefined;
    cancel();
    this.seconds += seen.seconds;
    const error = failure ?? whyNot(end, seen);
    if (error !== undefined) throw error;
    return seen.inspected();
  }
}

/** What one inspection saw: a ledger of its own, so that nothing is counted twice. */
class Seen {
  startedAt: number | undefined;
  #endedAt = 0;
  #last: Tick | undefined;
  #wholeEnd = true;
  readonly #ledger = new Ledger({
    waits: { slots: 1, rowLimit: 500, label: (name) => name },
    readerSlots: 1,
    blockSlots: 1,
    blocksObserved: () => true,
  });

  get seconds(): number {
    return this.startedAt === undefined ? 0 : (this.#endedAt - this.startedAt) / 1000;
  }

  /** Whether this was the first tick: the probes are there. */
  take(record: TracerRecord): boolean {
    if (record.kind === 'stall') return false;
    this.#ledger.apply(record);
    if (record.kind !== 'tick') return false;
    this.#endedAt = record.at;
    // Of a tick that was not understood in full the ledger takes nothing either.
    this.#wholeEnd = record.complete;
    if (record.complete) this.#last = record;
    if (this.startedAt !== undefined) return false;
    this.startedAt = record.at;
    return true;
  }

  inspected(): Inspected {
    const { blocks, tracer } = this.#ledger;
    return {
      startedAt: this.startedAt ?? 0,
      endedAt: this.#endedAt,
      blocks: blocks.list.entries().sort((a, b) => b.nanoseconds - a.nanoseconds),
      holds: this.#last?.holds ?? [],
      stacks: this.#last?.writerStacks ?? [],
      complete:
        this.#wholeEnd &&
        tracer.lostEvents === 0 &&
        [...tracer.overflows.values()].every((updates) => updates === 0),
    };
  }
}

/** Why what was seen does not count, if so. */
const whyNot = (
  { orderly, signal, exitCode, said }: SessionEnd,
  { startedAt }: Seen,
): MmaplockError | undefined => {
  if (orderly && startedAt !== undefined) return undefined;
  if (signal !== undefined)
    return new MmaplockError('tracer_killed', `bpftrace was ended by ${signal}`, { fix });
  return new MmaplockError(
    startedAt === undefined ? (said.firstError?.code ?? 'program_rejected') : 'tracer_exited',
    `bpftrace ended with ${exitCode}: ${said.reason}`,
    { fix },
  );
};
