/** What a run has measured, as it is kept. */
import type { Config, Group } from './configs.js';
import type { LoopName } from './loops.js';
import type { Pair, Rounds } from './rounds.js';
import { type Spread, spreadOf } from './statistics.js';

/** Where and how. */
export interface Place {
  /** `host`, or the name of a kernel of test/kernels. */
  readonly name: string;
  readonly kernel: string;
  readonly bpftrace: string;
  readonly perf: string | null;
  readonly cpus: number;
  /** What a "nanosecond" is: of a clock, or an instruction of an emulator. */
  readonly unit: 'ns' | 'instructions';
}

export interface Cell {
  readonly ratio: Spread;
  readonly added: Spread;
  /** Of each round, in order. */
  readonly pairs: readonly Pair[];
}

export interface Column {
  readonly name: string;
  readonly title: string;
  readonly group: Group;
  readonly proof: string;
  readonly cells: Readonly<Partial<Record<LoopName, Cell>>>;
}

export interface Results {
  readonly place: Place;
  readonly rounds: number;
  readonly milliseconds: number;
  /** Without anything: medians over all rounds. */
  readonly off: Readonly<Partial<Record<LoopName, number>>>;
  readonly columns: readonly Column[];
  readonly notMeasured: readonly { readonly name: string; readonly title: string; readonly reason: string }[];
}

const cellOf = (pairs: readonly Pair[]): Cell => ({
  ratio: spreadOf(pairs.map(({ on, off }) => on / off)),
  added: spreadOf(pairs.map(({ on, off }) => on - off)),
  pairs,
});

export const resultsOf = (
  place: Place,
  { measured, failures }: Rounds,
  options: { configs: readonly Config[]; rounds: number; milliseconds: number },
): Results => {
  const columns = options.configs.flatMap(({ name, title, group }): Column[] => {
    const found = measured.get(name);
    if (found === undefined) return [];
    const cells = Object.fromEntries([...found.pairs].map(([loop, pairs]) => [loop, cellOf(pairs)]));
    return [{ name, title, group, proof: found.proof, cells }];
  });
  const offs = new Map<LoopName, number[]>();
  for (const { pairs } of measured.values())
    for (const [loop, list] of pairs)
      offs.set(loop, [...(offs.get(loop) ?? []), ...list.map(({ off }) => off)]);
  return {
    place,
    rounds: options.rounds,
    milliseconds: options.milliseconds,
    off: Object.fromEntries([...offs].map(([loop, list]) => [loop, spreadOf(list).median])),
    columns,
    notMeasured: options.configs
      .filter(({ name }) => !measured.has(name))
      .map(({ name, title }) => ({ name, title, reason: failures.get(name)?.at(-1) ?? 'no round was run' })),
  };
};

export const cellIn = (results: Results, column: string, loop: LoopName): Cell | undefined =>
  results.columns.find(({ name }) => name === column)?.cells[loop];
