/**
 * Runs a program that says something and ends, as `bpftrace --version` does, whatever it does instead: it has a limit on
 * time and on bytes, dies with this process, and what it started dies with it.
 */
import { execa } from 'execa';
import { systemClock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import type { Environment } from '../environment.js';

export interface BriefOptions {
  readonly env: Environment;
  /** The directory that it is run in; the one at hand where it is left out. */
  readonly cwd?: string;
  /** Standard input; nothing where it is left out. */
  readonly input?: string;
  readonly timeoutMs: number;
  /** Of each of its outputs. */
  readonly mostBytes: number;
  /** Ends it at once. */
  readonly signal?: AbortSignal | undefined;
}

export interface Said {
  readonly stdout: string;
  /** Why it cannot be relied on: what it said on standard error, if anything. Undefined where it ended with 0 in time. */
  readonly failure: string | undefined;
  readonly timedOut: boolean;
}

/** An empty part of PATH would be the directory at hand. */
const setprivIsIn = ['/usr/bin', '/bin'];

/** How long what it has left behind may keep its outputs open: it has been killed by then. */
const graceMilliseconds = 500;

/** Never rejects. @param command a program, with whatever it is wrapped in, and its arguments */
export const runBriefly = async (command: readonly string[], options: BriefOptions): Promise<Said> => {
  const { env, cwd, input, timeoutMs, mostBytes, signal } = options;
  // In a group of its own, so that all of it can be ended. See session.ts for the parent-death signal.
  const child = execa('setpriv', ['--pdeathsig', 'KILL', ...command], {
    env: { ...env, PATH: [env.PATH, ...setprivIsIn].filter(Boolean).join(':') },
    extendEnv: false,
    ...(cwd === undefined ? {} : { cwd }),
    reject: false,
    detached: true,
    cleanup: false,
    maxBuffer: mostBytes,
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
  });
  let timedOut = false;
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Nothing of it is left.
    }
  };
  const cancelLimit = systemClock.after(timeoutMs, () => {
    timedOut = true;
    end();
  });
  let cancelGrace = (): void => {};
  child.once('exit', () => {
    end();
    cancelGrace = systemClock.after(graceMilliseconds, () => {
      child.stdout.destroy();
      child.stderr.destroy();
    });
  });
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted) end();
  const result = await child;
  cancelLimit();
  cancelGrace();
  signal?.removeEventListener('abort', end);
  // It may be too much that it said: it does not go on saying it.
  end();
  const { stdout = '', stderr = '' } = result;
  const failure = (): string => {
    if (timedOut) return `it did not end in ${timeoutMs} ms`;
    if (result.isMaxBuffer) return `it said more than ${mostBytes} bytes`;
    return stderr.trim() || result.originalMessage || messageOf(result) || stdout;
  };
  return { stdout, timedOut, failure: result.failed ? failure() : undefined };
};
