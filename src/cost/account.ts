/** Adds up what tracers cost over all of them: each starts from zero, the totals never go back. */
import type { TracerCost } from './tracer.js';

export class CostAccount {
  cpuSeconds = 0;
  /** Of the tracer that runs now; undefined while none does. */
  residentBytes: number | undefined;
  mapBytes: number | undefined;
  /** Probe runs skipped by recursion, by probe. */
  readonly misses = new Map<string, number>();
  #pid: number | undefined;
  #last: { cpuSeconds: number; misses: readonly number[] } = { cpuSeconds: 0, misses: [] };

  /**
   * Takes one reading of a tracer; undefined when none runs.
   * @param probes names of its probes in the order in which their programs were loaded
   */
  sample(pid: number | undefined, cost: TracerCost | undefined, probes: readonly string[]): void {
    if (pid !== this.#pid) {
      this.#pid = pid;
      this.#last = { cpuSeconds: 0, misses: [] };
    }
    this.residentBytes = cost?.resident_bytes;
    this.mapBytes = cost?.map_bytes;
    if (cost === undefined) return;
    this.cpuSeconds += Math.max(0, cost.cpu_seconds - this.#last.cpuSeconds);
    const misses = cost.programs.map(({ recursion_misses }) => recursion_misses);
    for (const [index, count] of misses.entries()) {
      // Without one program for each probe there is no telling which is which.
      const probe = misses.length === probes.length ? (probes[index] as string) : 'unknown';
      const grown = Math.max(0, count - (this.#last.misses[index] ?? 0));
      this.misses.set(probe, (this.misses.get(probe) ?? 0) + grown);
    }
    this.#last = { cpuSeconds: cost.cpu_seconds, misses };
  }
}
