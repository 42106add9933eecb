/** What probes cost for a moment: two readings of the kernel's own statistics, a second apart. */
import type { Clock } from '../clock.js';
import type { StatsSwitch } from './stats-switch.js';
import type { ProgramCost, TracerCost } from './tracer.js';

/** How long one sample takes. */
export const sampleMilliseconds = 1000;

/** What one BPF program has taken in a sample. */
export interface ProgramSample {
  readonly runs: number;
  readonly nanoseconds: number;
}

export interface CostSample {
  /** Milliseconds of a clock that never goes back. */
  readonly endedAt: number;
  readonly seconds: number;
  /** Run time of all programs by time gone by: the share of one core. */
  readonly ratio: number;
  /** By process id of the tracer, in the order in which its programs were loaded. */
  readonly tracers: ReadonlyMap<number, readonly ProgramSample[]>;
}

export interface SampleOptions {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly stats: Pick<StatsSwitch, 'isOn' | 'on' | 'off'>;
  /** The process ids of the tracers that run now. */
  readonly tracers: () => readonly number[];
  readonly read: (pid: number) => TracerCost | undefined;
}

export interface RunningSample {
  /**
   * Undefined where it tells nothing: no tracer runs, one came or went meanwhile, or somebody has switched the
   * statistics off. Rejects with MmaplockError `probe_cost_unmeasured` where they cannot be had.
   */
  readonly done: Promise<CostSample | undefined>;
  /** Ends it early, and leaves the statistics as they were. */
  cancel(): void;
}

/** Begins one sample. */
export const startSample = (options: SampleOptions): RunningSample => {
  const { clock, stats } = options;
  let cancel = (): void => {};
  const aSecond = new Promise<boolean>((resolve) => {
    const cancelTimer = clock.after(sampleMilliseconds, () => resolve(true));
    cancel = () => {
      cancelTimer();
      stats.off();
      resolve(false);
    };
  });
  return { done: sampleFor(aSecond, options).finally(() => cancel()), cancel: () => cancel() };
};

const sampleFor = async (
  aSecond: Promise<boolean>,
  { clock, stats, tracers, read }: SampleOptions,
): Promise<CostSample | undefined> => {
  const pids = tracers();
  if (pids.length === 0) return undefined;
  stats.on();
  const before = readAll(pids, read);
  const startedAt = clock.monotonic();
  if (!(await aSecond)) return undefined;
  const after = readAll(pids, read);
  const endedAt = clock.monotonic();
  if (!stats.isOn || before === undefined || after === undefined) return undefined;
  if (tracers().join() !== pids.join()) return undefined;
  const samples = new Map(pids.map((pid, index) => [pid, grown(before[index] ?? [], after[index] ?? [])]));
  const nanoseconds = [...samples.values()].flat().reduce((sum, program) => sum + program.nanoseconds, 0);
  const seconds = (endedAt - startedAt) / 1000;
  return { endedAt, seconds, ratio: nanoseconds / 1e9 / seconds, tracers: samples };
};

/** The programs of each; undefined where one is gone. */
const readAll = (
  pids: readonly number[],
  read: SampleOptions['read'],
): readonly (readonly ProgramCost[])[] | undefined => {
  const each = pids.map((pid) => read(pid)?.programs);
  return each.every((programs) => programs !== undefined) ? each : undefined;
};

const grown = (before: readonly ProgramCost[], after: readonly ProgramCost[]): ProgramSample[] => {
  const first = new Map(before.map((program) => [program.programId, program]));
  return after.map(({ programId, runNanoseconds, runs }) => ({
    runs: runs - (first.get(programId)?.runs ?? 0),
    nanoseconds: runNanoseconds - (first.get(programId)?.runNanoseconds ?? 0),
  }));
};
