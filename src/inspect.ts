/**
 * Inspect mode: a second tracer, for seconds, that sees how long readers really hold mmap_lock, and where in the kernel
 * the writers stand. At most one at a time.
 */
import type { SessionEnd, SessionOptions, startSession } from './bpftrace/session.js';
import type { Tracer } from './bpftrace/supervise.js';
import type { Clock } from './clock.js';
import { MmaplockError } from './errors.js';
import type { BlockEntry } from './ledger/block-list.js';
import { Ledger } from './ledger/ledger.js';
import type { Program } from './probes/program.js';
import type { HoldRow, TracerRecord, WriterStack } from './records.js';

/** A second tracer is looked after for so long at most: it costs what design allows for seconds, never for ever. */
export const longestInspectSeconds = 10;

/** What was seen from one time to another, milliseconds since the epoch. */
export interface Inspected {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Who made whom wait, by overlap of real holds; the part that no reader had is a row without a reader. */
  readonly blocks: readonly BlockEntry[];
  readonly holds: readonly HoldRow[];
  readonly stacks: readonly WriterStack[];
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
  readonly onStarted: () => void;
}

/** Milliseconds after which it is asked again to end: see {@link startSession} for why once may not do. */
const askAgainMilliseconds = 200;

export class Inspector {
  /** Seconds in which inspect mode was on, so far. */
  seconds = 0;
  readonly #options: InspectorOptions;
  #end: ((error?: MmaplockError) => void) | undefined;
  #running: Promise<Inspected> | undefined;

  constructor(options: InspectorOptions) {
    this.#options = options;
  }

  get running(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Looks for so many seconds, from when the probes are attached.
   *
   * Rejects with an MmaplockError: `inspect_running`, `inspect_unavailable`, `tracer_start_timeout`, `tracer_killed`,
   * `program_rejected` or what else the tracer ended of. No process is left behind either way.
   */
  async inspect(seconds: number): Promise<Inspected> {
    if (this.#running !== undefined) throw new MmaplockError('inspect_running', 'inspect mode is on already');
    this.#running = this.#run(Math.min(seconds, longestInspectSeconds));
    try {
      return await this.#running;
    } finally {
      this.#running = undefined;
      this.#end = undefined;
    }
  }

  /** Gives up what runs, and waits until its process is gone. */
  async stop(): Promise<void> {
    this.#end?.(new MmaplockError('tracer_killed', 'the daemon ends'));
    await this.#running?.catch(() => {});
  }

  async #run(seconds: number): Promise<Inspected> {
    const { clock, startTimeoutSeconds, onStarted } = this.#options;
    const tracer = this.#options.tracer();
    if (tracer === undefined) throw new MmaplockError('inspect_unavailable', 'no bpftrace was found yet');
    const program = this.#options.program();
    const seen = new Seen();
    let failure: MmaplockError | undefined;
    let cancel = (): void => {};
    const askToEnd = (): void => {
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
      onAttached: () => {},
      onStderr: (line, { code }) => {
        if (code === 'attach_incomplete') giveUp(new MmaplockError(code, line));
      },
      onRecord: (record) => {
        if (!seen.take(record)) return;
        cancel();
        onStarted();
        cancel = clock.after(seconds * 1000, askToEnd);
      },
    };
    const session = this.#options.startSession(sessionOptions);
    cancel = clock.after(startTimeoutSeconds * 1000, () =>
      giveUp(new MmaplockError('tracer_start_timeout', `not ready after ${startTimeoutSeconds} s`)),
    );
    this.#end = (error) => giveUp(error ?? new MmaplockError('tracer_killed', 'it was ended'));
    const end = await session.ended;
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
  #holds: readonly HoldRow[] = [];
  #stacks: readonly WriterStack[] = [];
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
    this.#holds = record.holds;
    this.#stacks = record.writerStacks;
    if (this.startedAt !== undefined) return false;
    this.startedAt = record.at;
    return true;
  }

  inspected(): Inspected {
    return {
      startedAt: this.startedAt ?? 0,
      endedAt: this.#endedAt,
      blocks: this.#ledger.blocks.list.entries().sort((a, b) => b.nanoseconds - a.nanoseconds),
      holds: this.#holds,
      stacks: this.#stacks,
    };
  }
}

/** Why what was seen does not count, if so. */
const whyNot = (
  { orderly, signal, exitCode, said }: SessionEnd,
  { startedAt }: Seen,
): MmaplockError | undefined => {
  if (orderly && startedAt !== undefined) return undefined;
  if (signal !== undefined) return new MmaplockError('tracer_killed', `bpftrace was ended by ${signal}`);
  return new MmaplockError(
    startedAt === undefined ? (said.firstError?.code ?? 'program_rejected') : 'tracer_exited',
    `bpftrace ended with ${exitCode}: ${said.reason}`,
  );
};
