/** What the commands share that run a daemon of their own for a while. */
import { constants } from 'node:os';
import type { DaemonView } from '../api/view.js';
import { startLimitSeconds } from '../bpftrace/process/start-limit.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import { type ErrorCode, errorCatalog, MmaplockError } from '../errors.js';
import type { HistoryOptions } from '../ledger/history.js';
import type { Log } from '../log/log.js';

/** A running daemon, as far as a command looks at it. */
export interface OwnDaemon {
  readonly view: DaemonView;
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

/** Of main, for only main starts daemons. */
export type StartDaemon = (
  config: Config,
  log: Log,
  clock: Clock,
  options?: { readonly history?: HistoryOptions },
) => Promise<OwnDaemon>;

/** What asks a command to end. */
export interface Ending {
  readonly signal: AbortSignal;
  /** 0 unless it was asked to end by a signal. */
  exitCode(): number;
  /** The command itself ends. */
  abort(): void;
}

/** SIGINT and SIGTERM ask to end. A second one must not cut the orderly end short, so the handlers stay. */
export const endAtSignals = (): Ending => {
  const ending = new AbortController();
  let exitCode = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      exitCode = 128 + constants.signals[signal];
      ending.abort();
    });
  return { signal: ending.signal, exitCode: () => exitCode, abort: () => ending.abort() };
};

/** Resolves after some time, at once when `ending` says so. */
export const pause = (clock: Clock, milliseconds: number, ending?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (ending?.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      cancel();
      ending?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(milliseconds, done);
    ending?.addEventListener('abort', done);
  });

/** What no waiting mends. */
const hopeless: readonly string[] = [
  'nothing_observable',
  'probes_switched_off',
  'bpftrace_missing',
  'bpftrace_unsupported',
  'not_root',
] satisfies ErrorCode[];

const pollMilliseconds = 200;

export interface ObservingOptions {
  readonly timeoutSeconds: number;
  readonly clock: Clock;
  readonly ending: AbortSignal;
}

/**
 * Resolves once waits are observed, or the command is to end.
 * @throws MmaplockError with the code of what is in the way
 */
export const observing = async (
  { readiness, tracer }: Pick<DaemonView, 'readiness' | 'tracer'>,
  { timeoutSeconds, clock, ending }: ObservingOptions,
): Promise<void> => {
  const begin = clock.monotonic();
  while (!readiness().ready && !ending.aborted) {
    const { problems } = readiness();
    const problem = problems.find(({ code }) => hopeless.includes(code));
    if (problem !== undefined) throw codedError(problem);
    // What stands last is why waits are not observed; before it stand fragments that were refused.
    const limit = startLimitSeconds(timeoutSeconds, tracer().dialect);
    if (clock.monotonic() - begin > limit * 1000) throw codedError(problems.at(-1));
    await pause(clock, pollMilliseconds, ending);
  }
};

type Problem = ReturnType<DaemonView['readiness']>['problems'][number];

const codedError = (problem: Problem | undefined): MmaplockError => {
  const { code = '', message = 'not ready', fix } = problem ?? {};
  if (!Object.hasOwn(errorCatalog, code)) return new MmaplockError('tracer_start_timeout', message);
  return new MmaplockError(code as ErrorCode, message, fix === undefined ? {} : { fix });
};
