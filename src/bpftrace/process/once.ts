/**
 * Runs a program once: starts it, does something that it shall see as soon as its probes are there, and has it hand
 * over what it saw. The supervisor is for a program that runs on.
 */
import type { Clock } from '../../clock.js';
import { MmaplockError } from '../../errors.js';
import { areAllProbes, type Program } from '../../probes/program.js';
import type { Tick } from '../../records.js';
import type { Dialect } from '../decode/dialect.js';
import type { SessionEnd, startSession } from './session.js';

export interface OnceOptions {
  readonly clock: Clock;
  /** Of bpftrace. */
  readonly path: string;
  readonly dialect: Dialect;
  readonly program: Program;
  readonly startSession: typeof startSession;
  /** For all of it: then it is killed. */
  readonly timeoutSeconds: number;
  /** What it shall see; called once, and over when it returns. */
  readonly act: () => void;
}

export interface Once {
  /**
   * What the program counted, undefined where that is nothing.
   *
   * Rejects with an MmaplockError: `program_rejected`, `attach_incomplete`, `tracer_start_timeout`, `tracer_killed`, or
   * what else it ended of. It settles only when no process is left.
   */
  readonly counted: Promise<Tick | undefined>;
  /** Gives up at once. */
  stop(): void;
}

/** Most maps have a few keys; what a source marks is a process that opened a proc file or was forked by one. */
const mapKeys = 1024;

/** Milliseconds after which it is asked again to end: see {@link startSession} for why once may not do. */
const askAgainMilliseconds = 200;

/** Starts it. */
export const runOnce = (options: OnceOptions): Once => {
  const { clock, path, dialect, program, timeoutSeconds, act } = options;
  let attached = false;
  let acted = false;
  let counted: Tick | undefined;
  let failure: MmaplockError | undefined;
  let cancelAsking = (): void => {};

  const giveUp = (error: MmaplockError): void => {
    failure ??= error;
    session.kill();
  };
  const askToEnd = (): void => {
    if (failure !== undefined) return;
    session.stop();
    cancelAsking = clock.after(askAgainMilliseconds, askToEnd);
  };
  const session = options.startSession({
    path,
    program,
    dialect,
    mapKeys,
    now: () => clock.now(),
    onAttached: (probes) => {
      attached = areAllProbes(program, probes);
      if (!attached)
        giveUp(new MmaplockError('attach_incomplete', `${probes} of ${program.probes} probes attached`));
    },
    onStderr: (line, { code }) => {
      if (code === 'attach_incomplete' && !acted) giveUp(new MmaplockError(code, line));
    },
    onRecord: (record) => {
      if (record.kind === 'tick' && acted) counted = record;
      else if (record.kind === 'tick' && attached && failure === undefined) {
        acted = true;
        act();
        askToEnd();
      } else if (record.kind !== 'tick')
        giveUp(new MmaplockError('program_rejected', `what it counts cannot be relied on: ${record.kind}`));
    },
  });
  const cancelTimeout = clock.after(timeoutSeconds * 1000, () =>
    giveUp(new MmaplockError('tracer_start_timeout', `not done after ${timeoutSeconds} s`)),
  );

  return {
    counted: session.ended.then((end) => {
      cancelAsking();
      cancelTimeout();
      const error = failure ?? whyNot(end, acted);
      if (error !== undefined) throw error;
      return counted;
    }),
    stop: () => giveUp(new MmaplockError('tracer_killed', 'it was no longer needed')),
  };
};

/** Why what it counted is not complete, if so. */
const whyNot = (
  { orderly, signal, exitCode, said }: SessionEnd,
  acted: boolean,
): MmaplockError | undefined => {
  if (orderly && acted) return undefined;
  if (signal !== undefined) return new MmaplockError('tracer_killed', `bpftrace was ended by ${signal}`);
  return new MmaplockError(
    acted ? 'tracer_exited' : (said.firstError?.code ?? 'program_rejected'),
    `bpftrace ended with ${exitCode}: ${said.reason}`,
  );
};
