/** Runs the tests on other kernels, in emulators: the arguments of the command, and what may not be missing. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { buildSources } from './build.mjs';
import { main } from './paths.mjs';
import { CannotGoOn, say } from './report.mjs';

const usage = 'usage: npm run test:kernels [-- [--due | KERNEL...] [--whole] [--exec SCRIPT]]';

/** Loaded when it is called for: nobody who only starts the daemon needs it. */
const loadMatrix = () => import('../../test/kernels/run.mjs');

/**
 * What to run: the kernels named, or those that are due, or all; `whole`, with the second run by kprobes; or a script
 * in place of the tests.
 */
export const kernelArguments = async (args) => {
  const names = [...args];
  const takeFlag = (flag) => {
    const at = names.indexOf(flag);
    if (at !== -1) names.splice(at, 1);
    return at !== -1;
  };
  const at = names.indexOf('--exec');
  const [, script] = at === -1 ? [] : names.splice(at, 2);
  if (at !== -1 && (script === undefined || !existsSync(script)))
    throw new CannotGoOn(`there is no script "${script ?? ''}"`, usage);
  const [due, whole] = [takeFlag('--due'), takeFlag('--whole')];
  const { dueKernels, kernelNames } = await loadMatrix();
  const unknown = names.find((name) => !kernelNames.includes(name));
  if (unknown !== undefined)
    throw new CannotGoOn(`unknown kernel "${unknown}"`, `name some of ${kernelNames.join(', ')}; ${usage}`);
  if (due && names.length > 0) throw new CannotGoOn('--due chooses the kernels itself', usage);
  const usual = due ? dueKernels() : kernelNames;
  return {
    names: names.length > 0 ? names : usual,
    whole,
    script: script === undefined ? undefined : resolve(script),
  };
};

/** Makes what the kernels that are due boot from, ahead of their tests: it takes minutes, once on a machine. */
export const makeImages = async () => {
  const { dueKernels, makeImagesOf } = await loadMatrix();
  await makeImagesOf(dueKernels());
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
export const runKernels = async ({ names, whole, script }) => {
  if (process.arch !== 'x64')
    throw new CannotGoOn(`the kernels are for x86-64, and this is ${process.arch}`, 'run it on x86-64');
  if (script === undefined) await buildSources();
  else await buildIfPossible();
  const { testKernels, execInKernels } = await loadMatrix();
  return script === undefined ? testKernels(names, { whole }) : execInKernels(names, script);
};
