/** The arguments of `npm run bench:cost`. */
import { parseArgs } from 'node:util';
import { type Config, guestConfigs, hostConfigs } from './configs.js';
import { isLoopName, type LoopName, loopNames } from './loops.js';

export interface BenchOptions {
  readonly rounds: number;
  /** For each loop in each reading. */
  readonly milliseconds: number;
  readonly batches: number;
  readonly loops: readonly LoopName[];
  readonly configs: readonly Config[];
  /** Into the tree: results, README and picture. */
  readonly write: boolean;
  /** Measure nothing: show, and with `write` write, what is kept. */
  readonly render: boolean;
}

export const usage = `usage: npm run bench:cost [-- FLAG...]
  --rounds N        rounds (10; in a guest 2)
  --ms N            milliseconds of each loop in each reading (200; in a guest 1)
  --batches N       batches of each loop in each reading, where these take longer (10; in a guest 24)
  --loops A,B       some of ${loopNames.join(', ')}
  --configs A,B     some of ${hostConfigs.map(({ name }) => name).join(', ')}
  --quick           2 rounds of 40 ms: does it work?
  --guest KERNEL    in an emulated guest of that kernel (a name of test/kernels, or of the Debian release)
  --write           also write test/bench/results.json, test/bench/cost.svg and the tables of README.md
  --render          measure nothing: show, or with --write write, what test/bench/results.json has`;

/** Flags of its own, for the host side of the guests. */
export type Where = 'host' | 'guest';

const defaults = {
  host: { rounds: 10, ms: 200, batches: 10 },
  quick: { rounds: 2, ms: 40, batches: 5 },
  guest: { rounds: 2, ms: 1, batches: 24 },
} as const;

const list = <T>(
  text: string | undefined,
  all: readonly T[],
  nameOf: (item: T) => string,
  flag: string,
): readonly T[] => {
  if (text === undefined) return all;
  const names = text.split(',');
  const unknown = names.find((name) => !all.some((item) => nameOf(item) === name));
  if (unknown !== undefined)
    throw new Error(`${flag}: there is no "${unknown}"; name some of ${all.map(nameOf).join(', ')}`);
  return all.filter((item) => names.includes(nameOf(item)));
};

const count = (text: string | undefined, otherwise: number, flag: string): number => {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 10_000)
    throw new Error(`${flag}: "${text}" is no whole number from 1 to 10000`);
  return value;
};

/** @throws Error that names the flag */
export const parseBenchArguments = (args: readonly string[], where: Where): BenchOptions => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string' },
      ms: { type: 'string' },
      batches: { type: 'string' },
      loops: { type: 'string' },
      configs: { type: 'string' },
      quick: { type: 'boolean' },
      write: { type: 'boolean' },
      render: { type: 'boolean' },
    },
  });
  const usual = where === 'guest' ? defaults.guest : values.quick === true ? defaults.quick : defaults.host;
  return {
    rounds: count(values.rounds, usual.rounds, '--rounds'),
    milliseconds: count(values.ms, usual.ms, '--ms'),
    batches: count(values.batches, usual.batches, '--batches'),
    loops: list(values.loops, loopNames.filter(isLoopName), (name) => name, '--loops'),
    configs: list(
      values.configs,
      where === 'guest' ? guestConfigs : hostConfigs,
      ({ name }) => name,
      '--configs',
    ),
    write: values.write === true,
    render: values.render === true,
  };
};
