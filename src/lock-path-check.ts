/**
 * How the kernel serves the proc files, found by trying: the daemon reads its own while bpf/lock-path.bt looks on.
 * Once at its start, and before the tracer runs, which would count these reads.
 */
import type { Dialect } from './bpftrace/dialect.js';
import { type Once, runOnce } from './bpftrace/once.js';
import { startSession } from './bpftrace/session.js';
import type { Clock } from './clock.js';
import { readOwnFiles } from './kernel/own-reads.js';
import type { AtStart } from './probes/at-start.js';
import { filesSeen, lockPathFragment, type OwnReads } from './probes/lock-path-behaviour.js';
import { type Choice, joinProgram } from './probes/program.js';

export interface LockPathCheckOptions {
  readonly choice: Choice;
  readonly bpftrace: { readonly path: string };
  readonly dialect: Dialect;
  readonly clock: Clock;
  readonly timeoutSeconds: number;
}

export interface LockPathCheck {
  /** What was seen; rejects as {@link runOnce} does. No process is left behind either way. */
  readonly seen: Promise<OwnReads[]>;
  /** Gives up at once. */
  stop(): void;
}

/** The fragment for it, where this host lets it run. */
export const lockPathChoice = ({ chosen }: AtStart): Choice | undefined =>
  chosen.find(({ fragment }) => fragment.name === lockPathFragment);

/** Starts it: half a second in which the reads themselves take up to 8 ms a file. */
export const startLockPathCheck = ({
  choice,
  bpftrace,
  dialect,
  clock,
  timeoutSeconds,
}: LockPathCheckOptions): LockPathCheck => {
  const files = filesSeen(choice.constants);
  let reads: ReadonlyMap<string, number> = new Map();
  const once: Once = runOnce({
    clock,
    path: bpftrace.path,
    dialect,
    program: joinProgram([choice]),
    startSession,
    timeoutSeconds,
    act: () => {
      reads = readOwnFiles(files, () => clock.monotonic());
    },
  });
  return {
    seen: once.counted.then((tick) =>
      files.flatMap((file) => {
        const of = reads.get(file);
        const { takes = 0, fills = 0 } = tick?.lockTakes.find((row) => row.file === file) ?? {};
        return of === undefined ? [] : [{ file, reads: of, takes, fills }];
      }),
    ),
    stop: () => once.stop(),
  };
};
