/** The rounds: in each, every configuration once, between two readings of a host on which nothing runs. */
import type { Config } from './configs.js';
import type { LoopName, Reading } from './loops.js';
import type { Running } from './starters.js';

/** One loop under one configuration, and without it right before and after: nanoseconds. */
export interface Pair {
  /** From 0; a round in which it failed has none. */
  readonly round: number;
  readonly on: number;
  readonly off: number;
}

export interface Measured {
  readonly pairs: ReadonlyMap<LoopName, readonly Pair[]>;
  /** Of its last round. */
  readonly proof: string;
}

export interface Rounds {
  readonly measured: ReadonlyMap<string, Measured>;
  /** Reasons, by the name of the configuration; a round may fail and others not. */
  readonly failures: ReadonlyMap<string, readonly string[]>;
}

export interface RoundOptions {
  readonly configs: readonly Config[];
  readonly rounds: number;
  readonly start: (config: Config) => Promise<Running>;
  readonly read: () => Promise<Reading>;
  readonly say: (line: string) => void;
}

/** What fails this often is not tried again. */
const tries = 2;

/** Each round begins with another configuration, so that none is always the first after the same one. */
export const orderOf = <T>(items: readonly T[], round: number): T[] => {
  const first = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
};

const meanOf = (before: Reading, after: Reading, loop: LoopName): number => {
  const values = [before.get(loop), after.get(loop)].filter((value) => value !== undefined);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
};

/** Runs one configuration while the loops are read. */
const readUnder = async (config: Config, { start, read }: RoundOptions) => {
  const running = await start(config);
  let reading: Reading | undefined;
  try {
    reading = await read();
  } finally {
    // Ended in any case; where the reading failed, that is what counts.
    if (reading === undefined) await running.stop().catch(() => {});
  }
  return { reading, proof: await running.stop() };
};

export const runRounds = async (options: RoundOptions): Promise<Rounds> => {
  const { configs, rounds, read, say } = options;
  const measured = new Map<string, { pairs: Map<LoopName, Pair[]>; proof: string }>();
  const failures = new Map<string, string[]>();
  let before = await read();
  for (let round = 0; round < rounds; round += 1) {
    for (const config of orderOf(configs, round)) {
      const failed = failures.get(config.name) ?? [];
      if (failed.length >= tries) continue;
      try {
        const { reading, proof } = await readUnder(config, options);
        const after = await read();
        const { pairs } = measured.get(config.name) ?? { pairs: new Map<LoopName, Pair[]>() };
        for (const [loop, on] of reading)
          pairs.set(loop, [...(pairs.get(loop) ?? []), { round, on, off: meanOf(before, after, loop) }]);
        measured.set(config.name, { pairs, proof });
        say(`round ${round + 1} of ${rounds}: ${config.name}: ${proof}`);
        before = after;
      } catch (error) {
        const reason = (error as Error).message;
        failures.set(config.name, [...failed, reason]);
        say(`round ${round + 1} of ${rounds}: ${config.name} was not measured: ${reason}`);
        before = await read();
      }
    }
  }
  return { measured, failures };
};
