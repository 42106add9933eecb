import { join } from 'node:path';
import { execa } from 'execa';
import { buildWorkload } from './build.js';
import { track } from './children.js';
import { watchLines } from './lines.js';

export { buildWorkload } from './build.js';
export { killLeftovers } from './children.js';
export { type PerfCounter, type PerfTarget, perfCount } from './perf.js';
export { type Witness, type WitnessMaps, witness } from './witness.js';

/** Durations of one kind of call, in nanoseconds. */
export interface Latency {
  readonly count: number;
  readonly sum_ns: number;
  readonly max_ns: number;
  readonly over_1ms: number;
}

/** Every program tells when, on CLOCK_BOOTTIME, its work began and ended. */
interface Span {
  readonly pid: number;
  readonly start_ns: number;
  readonly end_ns: number;
}

interface Schedstat {
  readonly wall_ns: number;
  readonly exec_ns: number;
  readonly run_delay_ns: number;
  /** wall - exec - run_delay: what the thread slept, which for a writer is what it waited for locks. */
  readonly slept_ns: number;
}

export interface WritersResult extends Span {
  readonly threads: number;
  readonly seconds: number;
  /** read() calls of `--read-own`, the one that met EOF included. */
  readonly own_reads: number;
  /** Of `--names`: how many it took. */
  readonly names: number;
  readonly ops: Readonly<Record<'mmap' | 'touch' | 'mprotect' | 'munmap' | 'fault', Latency>>;
  readonly schedstat: Schedstat & { readonly per_thread: readonly Schedstat[] };
}

/** Of `writers --once`. */
export interface OnceResult extends Span {
  readonly rounds: number;
  /** mmap() calls that slept: 1, or 0 if all rounds failed. */
  readonly contended_waits: number;
  readonly wait_ns: number;
}

export interface SpawnerResult extends Span {
  readonly children: number;
  /** Children whose one wait was seen; the others are `not_contended` or `failed`. */
  readonly contended: number;
  readonly not_contended: number;
  readonly failed: number;
  /** With `--read` no child contends: these are their read() calls, those that met EOF included. */
  readonly reads: number;
  readonly seconds: number;
}

export interface ProcReaderResult extends Span {
  /** Differs from `pid` with `--open inherit`. */
  readonly reader_pid: number;
  readonly target_pid: number;
  readonly file: string;
  /** As `--call`; `ioctl` for procmap_query, `write` for clear_refs. */
  readonly call: string;
  readonly open: 'each' | 'once' | 'inherit';
  readonly threads: number;
  readonly seconds: number;
  readonly passes: number;
  readonly opens: number;
  readonly open_errors: number;
  /** Calls that read (ioctl() for procmap_query, write() for clear_refs), those that met EOF or an error included. */
  readonly reads: number;
  readonly read_errors: number;
  readonly bytes: number;
  readonly latency: Readonly<Record<'open' | 'read', Latency>>;
}

export interface StopperResult extends Span {
  readonly holder_pid: number;
  /** From the moment the lock was known to be held to the moment its release was ordered. */
  readonly held_ns: number;
  readonly longest_wait_ns: number;
  readonly writer_wait_ns: number;
  readonly faults: Latency;
}

/** One thread that locks one VMA to write, again and again. */
export interface TogglerResult extends Span {
  /** Its madvise() calls, and of those the ones in which it slept. */
  readonly calls: Latency;
  readonly slept: Latency;
}

/** Of processes that each live for one read. */
export interface CrowdResult extends Span {
  readonly seconds: number;
  readonly readers: number;
  readonly opens: number;
  /** read() calls, errors included. */
  readonly reads: number;
  readonly bytes: number;
}

/** Processes that come and go. */
export interface ChurnResult extends Span {
  readonly seconds: number;
  readonly processes: number;
}

interface Results {
  readonly churn: ChurnResult;
  readonly writers: WritersResult;
  readonly spawner: SpawnerResult;
  readonly 'proc-reader': ProcReaderResult;
  readonly stopper: StopperResult;
  readonly 'vma-toggler': TogglerResult;
  readonly 'reader-crowd': CrowdResult;
}

export interface Workload<Result> {
  readonly pid: number;
  /** Resolves once all of it exists; with a gate it does nothing yet. */
  readonly ready: Promise<void>;
  /** The match of the first line on stderr that fits, as in `said(/^holding (\d+) /)`. */
  said(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Opens the gate. */
  release(): void;
  /** What it counted. Rejects if it failed. */
  readonly done: Promise<Result>;
  /** Ends it early (SIGTERM) and returns what it counted. */
  stop(): Promise<Result>;
}

export interface WorkloadOptions {
  /** Hold the work back until release(). */
  readonly gate?: boolean;
  /** Whose it is; of the user of the test unless told otherwise. */
  readonly uid?: number;
}

/**
 * Starts a program of test/workload or of the demonstration, compiling it first if need be.
 * @throws if it cannot be compiled or started
 */
export function runWorkload<Name extends keyof Results>(
  name: Name,
  args: readonly string[],
  options: WorkloadOptions = {},
): Promise<Workload<Results[Name]>> {
  return start<Results[Name]>(name, args, options);
}

/** Starts `writers --once`: a short-lived process with one contended wait. */
export function runOnce(
  args: readonly string[] = [],
  options: WorkloadOptions = {},
): Promise<Workload<OnceResult>> {
  return start<OnceResult>('writers', ['--once', ...args], options);
}

async function start<Result>(
  name: string,
  args: readonly string[],
  { gate = false, uid }: WorkloadOptions,
): Promise<Workload<Result>> {
  const directory = await buildWorkload();
  const child = execa(join(directory, name), gate ? [...args, '--gate'] : args, {
    stdin: gate ? 'pipe' : 'ignore',
    ...(uid === undefined ? {} : { uid }),
  });
  track(child);
  const said = watchLines(child.stderr, name);
  const done = child.then(({ stdout }) => JSON.parse(stdout) as Result);
  const ready = said.match(/^ready \d+$/).then(() => {});
  // A test may look at only one of the two; the other must not end the whole test run.
  done.catch(() => {});
  ready.catch(() => {});
  if (child.pid === undefined) await done;
  return {
    pid: child.pid!,
    ready,
    said: (pattern) => said.match(pattern),
    release: () => void child.stdin?.end(),
    done,
    stop() {
      child.kill('SIGTERM');
      return done;
    },
  };
}
