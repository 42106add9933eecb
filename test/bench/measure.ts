/** One run, here: of a host or, within it, of a guest. */
import { availableParallelism, loadavg, release } from 'node:os';
import { execa } from 'execa';
import { buildWorkload } from '../live/support/build.js';
import type { BenchOptions } from './arguments.js';
import { runLoops } from './loops.js';
import { type Place, type Results, resultsOf } from './results.js';
import { runRounds } from './rounds.js';
import { start } from './starters.js';

const version = async (command: string): Promise<string | null> => {
  const { failed, stdout } = await execa(command, ['--version'], { reject: false });
  return failed ? null : stdout.trim().replace(/^\S+ (?:version )?v?/, '');
};

/** A load average of one minute; the benchmark itself starts with it. */
const quietLoad = 0.7;

/** @throws Error where bpftrace does not run, or a loop fails */
export const measure = async (
  { loops, configs, rounds, milliseconds, batches }: BenchOptions,
  place: Pick<Place, 'name' | 'unit'>,
  say: (line: string) => void,
): Promise<Results> => {
  const directory = await buildWorkload();
  const bpftrace = await version('bpftrace');
  if (bpftrace === null) throw new Error('bpftrace does not run here');
  const [load = 0] = loadavg();
  if (place.unit === 'ns' && load > quietLoad)
    say(`this machine is busy (load ${load.toFixed(1)}): nanoseconds measured now are mostly noise`);
  const found = await runRounds({
    configs,
    rounds,
    start: (config) => start(config.start),
    read: () => runLoops({ directory, names: loops, milliseconds, batches }),
    say,
  });
  const here = {
    ...place,
    kernel: release(),
    bpftrace,
    perf: await version('perf'),
    cpus: availableParallelism(),
  };
  return resultsOf(here, found, { configs, rounds, milliseconds });
};
