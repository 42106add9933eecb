/** Results as a run would give them. */

import { hostConfigs } from './configs.js';
import type { LoopName } from './loops.js';
import { type Place, type Results, resultsOf } from './results.js';
import type { Pair } from './rounds.js';

/** What three rounds saw: ratios, by configuration and loop, of loops that take 1000 ns without anything. */
export type Ratios = Readonly<
  Record<string, Readonly<Partial<Record<LoopName, readonly [number, number, number]>>>>
>;

export const resultsWith = (ratios: Ratios, place: Partial<Place> = {}): Results => {
  const pairsOf = (three: readonly number[]): Pair[] =>
    three.map((ratio, round) => ({ round, on: ratio * 1000, off: 1000 }));
  const measured = new Map(
    Object.entries(ratios).map(([config, cells]) => {
      const pairs = Object.entries(cells).map(([loop, three]) => [loop as LoopName, pairsOf(three)] as const);
      return [config, { pairs: new Map(pairs), proof: `${config} ran` }];
    }),
  );
  const configs = hostConfigs.filter(({ name }) => name in ratios || name === 'perf');
  return resultsOf(
    { name: 'host', kernel: '6.18', bpftrace: '0.17.0', perf: '6.1', cpus: 2, unit: 'ns', ...place },
    { measured, failures: new Map(measured.has('perf') ? [] : [['perf', ['perf is not\ninstalled']]]) },
    { configs, rounds: 3, milliseconds: 200 },
  );
};
