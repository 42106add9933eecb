/** Tests the package in a guest with systemd: the arguments of the command, and what must be built before. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { buildSources } from './build.mjs';
import { CannotGoOn } from './report.mjs';

const usage = 'usage: npm run test:package [-- --exec SCRIPT]';

/** Resolves to the exit code. */
export const runPackageTest = async (args) => {
  const [flag, script, ...others] = args;
  if ((flag !== undefined && flag !== '--exec') || others.length > 0)
    throw new CannotGoOn(`unknown arguments "${args.join(' ')}"`, usage);
  if (flag !== undefined && (script === undefined || !existsSync(script)))
    throw new CannotGoOn(`there is no script "${script ?? ''}"`, usage);
  if (process.arch !== 'x64')
    throw new CannotGoOn(`the guest is for x86-64, and this is ${process.arch}`, 'run it on x86-64');
  await buildSources();
  const { execInPackageGuest, testPackage } = await import('../../test/package/run.mjs');
  return script === undefined ? testPackage() : execInPackageGuest(resolve(script));
};
