/** Runs the cost benchmark on this host, or in an emulated guest. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { dist } from './paths.mjs';
import { CannotGoOn } from './report.mjs';

const usage = 'usage: npm run bench:cost [-- --guest KERNEL]';

/** The kernel of `--guest`, taken out of the arguments. */
export const benchArguments = (args) => {
  const rest = [...args];
  const at = rest.indexOf('--guest');
  if (at === -1) return { guest: undefined, rest };
  const [, guest] = rest.splice(at, 2);
  if (guest === undefined) throw new CannotGoOn('--guest names no kernel', usage);
  if (process.arch !== 'x64')
    throw new CannotGoOn(`the guests are for x86-64, and this is ${process.arch}`, usage);
  return { guest, rest };
};

/** Resolves to the exit code. */
const runMain = (args) =>
  new Promise((resolve, reject) => {
    const main = join(dist, 'test/bench/main.js');
    const bench = spawn('setpriv', ['--pdeathsig', 'TERM', process.execPath, main, ...args], {
      stdio: 'inherit',
    });
    bench.once('error', reject);
    bench.once('close', (code) => resolve(code ?? 1));
  });

/** Resolves to the exit code. */
export const runBench = async ({ guest, rest }) => {
  if (guest === undefined) return runMain(rest);
  const { measureGuest } = await import('../../test/bench/guest.mjs');
  const file = await measureGuest(guest, rest);
  return file === undefined ? 1 : runMain(['--take', file, ...rest]);
};
