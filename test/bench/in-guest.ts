/** The part of the benchmark that runs in a guest: prints the results as one line, which guest.mjs takes. */

import { readFileSync } from 'node:fs';
import { killLeftovers } from '../live/support/children.js';
import { parseBenchArguments } from './arguments.js';
import { measure } from './measure.js';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** The kernel of test/kernels that runs here. */
const kernelName = (): string =>
  /mmaplockd\.kernel=(\S+)/.exec(readFileSync('/proc/cmdline', 'utf8'))?.[1] ?? 'guest';

const run = async (): Promise<void> => {
  const options = parseBenchArguments(process.argv.slice(2), 'guest');
  say('measuring begins');
  const results = await measure(options, { name: kernelName(), unit: 'instructions' }, say);
  say(JSON.stringify(results));
};

run().catch(async (error: Error) => {
  await killLeftovers();
  say(String(error.stack ?? error));
  process.exitCode = 1;
});
