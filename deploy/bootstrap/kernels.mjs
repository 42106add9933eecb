/** Runs the tests on other kernels, in emulators: the arguments of the command, and what may not be missing. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { buildSources } from './build.mjs';
import { main } from './paths.mjs';
import { CannotGoOn, say } from './report.mjs';

const usage = 'usage: npm run test:kernels [-- [KERNEL]... [--exec SCRIPT]]';

/** Loaded when it is called for: nobody who only starts the daemon needs it. */
const loadMatrix = () => import('../../test/kernels/run.mjs');

/** The kernels named, or all, and the script to run on them in place of the tests, if any. */
export const kernelArguments = async (args) => {
  const names = [...args];
  const at = names.indexOf('--exec');
  const [, script] = at === -1 ? [] : names.splice(at, 2);
  if (at !== -1 && (script === undefined || !existsSync(script)))
    throw new CannotGoOn(`there is no script "${script ?? ''}"`, usage);
  const { kernelNames } = await loadMatrix();
  const unknown = names.find((name) => !kernelNames.includes(name));
  if (unknown !== undefined)
    throw new CannotGoOn(`unknown kernel "${unknown}"`, `name some of ${kernelNames.join(', ')}; ${usage}`);
  return {
    names: names.length > 0 ? names : kernelNames,
    script: script === undefined ? undefined : resolve(script),
  };
};

/** A script may not need what is built, so it runs also while the sources do not compile. */
const buildIfPossible = async () => {
  try {
    await buildSources();
  } catch (error) {
    if (!(error instanceof CannotGoOn) || !existsSync(main)) throw error;
    say(`${error.message}; going on with what is in dist`);
  }
};

/** Resolves to the exit code. */
export const runKernels = async ({ names, script }) => {
  if (process.arch !== 'x64')
    throw new CannotGoOn(`the kernels are for x86-64, and this is ${process.arch}`, 'run it on x86-64');
  if (script === undefined) await buildSources();
  else await buildIfPossible();
  const { testKernels, execInKernels } = await loadMatrix();
  return script === undefined ? testKernels(names) : execInKernels(names, script);
};
