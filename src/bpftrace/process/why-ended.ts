/** Why a tracer that nobody here ended has ended. */
import { MmaplockError } from '../../errors.js';
import type { Origin, Program } from '../../probes/program.js';
import type { RestartReason } from '../../vocabulary.js';
import type { SessionEnd } from './session.js';

export interface Ending {
  readonly reason: RestartReason;
  /** `tracer_killed`, `tracer_exited`, `fragment_rejected`, or what bpftrace said first. */
  readonly error: MmaplockError;
  /** The fragment that bpftrace, or the kernel, refused. */
  readonly origin?: Origin;
}

/** Signals that others send; of the rest bpftrace dies by its own fault. */
const killed: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP']);

/** Whether somebody ended it. */
export const wasKilled = ({ signal }: SessionEnd): boolean => signal !== undefined && killed.has(signal);

/** @param ready it observed already */
export const whyEnded = (end: SessionEnd, ready: boolean, program: Program): Ending => {
  if (end.signal !== undefined)
    return {
      reason: 'killed',
      error: new MmaplockError('tracer_killed', `bpftrace was ended by ${end.signal}`),
    };
  const said = `bpftrace ended with ${end.exitCode}: ${end.said.reason}`;
  if (ready) return { reason: 'exited', error: new MmaplockError('tracer_exited', said) };
  const first = end.said.firstError;
  const origin =
    first?.sourceLine === undefined
      ? program.fragmentNamedIn(end.said.reason, first?.code === 'attach_incomplete')
      : program.originOf(first.sourceLine);
  if (origin === undefined)
    return { reason: 'rejected', error: new MmaplockError(first?.code ?? 'program_rejected', said) };
  const message = `${origin.fragment}.bt:${origin.line}: ${end.said.reason}`;
  return { reason: 'rejected', error: new MmaplockError('fragment_rejected', message), origin };
};
