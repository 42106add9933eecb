/** Adds up what tracers cost over all of them: each starts from zero, the totals never go back. */
import type { CostSample } from './sample.js';
import type { TracerCost } from './tracer.js';

/** What one probe took in the last sample. */
export interface ProbeCost {
  readonly probe: string;
  readonly runsPerSecond: number;
  /** Share of one core. */
  readonly ratio: number;
}

export class CostAccount {
  cpuSeconds = 0;
  /** Of the tracer that runs now; undefined while none does. */
  residentBytes: number | undefined;
  mapBytes: number | undefined;
  /** Probe runs skipped by recursion, by probe; without those of which the kernel does not count them. */
  readonly misses = new Map<string, number>();
  /** What all probes took, extended from samples to the time between them; undefined where it is not measured. */
  probeRunSeconds: number | undefined;
  /** Of the last sample: share of one core. Undefined before it, and where it is not measured. */
  probeCostRatio: number | undefined;
  /** The same by probe of the watch program, dearest first. */
  probes: readonly ProbeCost[] = [];
  readonly #countsMisses: (probe: string) => boolean;
  #pid: number | undefined;
  #last: { cpuSeconds: number; misses: readonly number[] } = { cpuSeconds: 0, misses: [] };
  #second: { pid: number; cpuSeconds: number } | undefined;

  /** @param countsMisses whether this kernel counts what it skips of a probe: see misses.ts */
  constructor(countsMisses: (probe: string) => boolean = () => true) {
    this.#countsMisses = countsMisses;
  }

  /**
   * Takes one reading of a tracer; undefined when none runs.
   * @param probes names of its probes in the order in which their programs were loaded
   */
  sample(pid: number | undefined, cost: TracerCost | undefined, probes: readonly string[]): void {
    if (pid !== this.#pid) {
      this.#pid = pid;
      this.#last = { cpuSeconds: 0, misses: [] };
    }
    this.residentBytes = cost?.residentBytes;
    this.mapBytes = cost?.mapBytes;
    if (cost === undefined) return;
    this.cpuSeconds += Math.max(0, cost.cpuSeconds - this.#last.cpuSeconds);
    const misses = cost.programs.map(({ recursionMisses }) => recursionMisses);
    for (const [index, count] of misses.entries()) {
      // Without one program for each probe there is no telling which is which.
      const probe = misses.length === probes.length ? (probes[index] as string) : 'unknown';
      const grown = Math.max(0, count - (this.#last.misses[index] ?? 0));
      if (grown > 0 || this.#countsMisses(probe))
        this.misses.set(probe, (this.misses.get(probe) ?? 0) + grown);
    }
    this.#last = { cpuSeconds: cost.cpuSeconds, misses };
  }

  /** Takes the CPU time, so far, of the tracer of inspect mode: it is gone in seconds, so it is told of at each tick. */
  sampleSecond(pid: number, cost: Pick<TracerCost, 'cpuSeconds'> | undefined): void {
    if (cost === undefined) return;
    const cpuSeconds = cost.cpuSeconds;
    const before = this.#second?.pid === pid ? this.#second.cpuSeconds : 0;
    this.cpuSeconds += Math.max(0, cpuSeconds - before);
    this.#second = { pid, cpuSeconds };
  }

  /**
   * Takes a sample of what probes cost.
   * @param standsForSeconds the time that it is taken to tell of: since the sample before, or since the tracer started
   * @param watch the tracer of the watch program, and the names of its probes
   */
  addProbeSample(
    { ratio, seconds, tracers }: CostSample,
    standsForSeconds: number,
    watch: { readonly pid: number; readonly probes: readonly string[] } | undefined,
  ): void {
    this.probeRunSeconds = (this.probeRunSeconds ?? 0) + Math.max(0, ratio * standsForSeconds);
    this.probeCostRatio = ratio;
    const programs = (watch && tracers.get(watch.pid)) ?? [];
    this.probes =
      programs.length !== watch?.probes.length
        ? []
        : programs
            .map(({ runs, nanoseconds }, index) => ({
              probe: watch.probes[index] as string,
              runsPerSecond: runs / seconds,
              ratio: nanoseconds / 1e9 / seconds,
            }))
            .sort((a, b) => b.ratio - a.ratio);
  }

  /** No tracer runs, or what its probes cost is not known: the total stays, the last sample tells nothing any more. */
  withoutProbeSample(): void {
    this.probeCostRatio = undefined;
    this.probes = [];
  }
}
