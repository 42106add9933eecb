/**
 * `npm run bench:cost`: what the tracer costs the loops of others, and what other tools cost them. Measures this host,
 * or takes what a guest has measured (`--take FILE`, by guest.mjs), and shows or writes it.
 */
import { readFileSync } from 'node:fs';
import { killLeftovers } from '../live/support/children.js';
import { type BenchOptions, parseBenchArguments, usage } from './arguments.js';
import { merge, readKept, writeToDist, writeToTree } from './files.js';
import { measure } from './measure.js';
import { reportOf } from './report/report.js';
import type { Results } from './results.js';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const resultsFor = async (options: BenchOptions, taken: string | undefined): Promise<Results[]> => {
  if (options.render) return readKept();
  if (taken !== undefined) return [JSON.parse(readFileSync(taken, 'utf8')) as Results];
  return [await measure(options, { name: 'host', unit: 'ns' }, say)];
};

const run = async (args: readonly string[]): Promise<void> => {
  const [flag, file, ...rest] = args;
  const taken = flag === '--take' ? file : undefined;
  const options =
    taken === undefined ? parseBenchArguments(args, 'host') : parseBenchArguments(rest, 'guest');
  const results = await resultsFor(options, taken);
  if (results.length === 0) throw new Error('nothing has been measured yet: run it without --render first');
  say(`kept in ${writeToDist(results)}`);
  process.stdout.write(`${reportOf(results)}\n`);
  if (options.write) writeToTree(merge(readKept(), results));
  if (results.some(({ columns }) => columns.length === 0)) throw new Error('nothing could be measured');
};

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    void killLeftovers().finally(() => process.exit(1));
  });

run(process.argv.slice(2)).catch(async (error: Error) => {
  await killLeftovers();
  say(error.message);
  if (error instanceof TypeError || error.message.startsWith('--')) say(usage);
  process.exitCode = 1;
});
