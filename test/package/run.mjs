/**
 * Installs the package on a Debian with a real systemd, in an emulator, and lives through what a package lives through:
 * install, start, load, faults, upgrade, purge. It is run by `npm run test:package`, which installs and builds first.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lintPackages } from '../../deploy/package/lint.mjs';
import { complaintsIn, endOf } from '../kernels/console.mjs';
import { runGuest } from '../kernels/guest.mjs';
import { imageSeconds } from '../kernels/image-seconds.mjs';
import { makePayload } from '../kernels/payload.mjs';
import { createResults } from '../kernels/results.mjs';
import { scriptOutput } from '../kernels/script-output.mjs';
import { summaryOf } from '../kernels/summary.mjs';
import { openCache, openRun } from '../roots/cache.mjs';
import { systemd, systemdImage } from './image.mjs';
import { buildPackages, packagesFolder } from './packages.mjs';

const project = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const logs = join(project, 'dist', 'package');

/** Of Debian 13. */
const suite = 'trixie';
const name = 'systemd';

const print = (line) => process.stdout.write(`${line}\n`);
const remark = (line) => process.stderr.write(`${line}\n`);

const more = ['dist/test/package', 'test/package/guest.sh', packagesFolder];

/** Says what is being done, and how long it took. */
const told = async (what, work) => {
  const began = performance.now();
  remark(what);
  const result = await work();
  remark(`${what} took ${Math.round((performance.now() - began) / 1000)} s`);
  return result;
};

const prepare = async (script) => {
  await openCache();
  mkdirSync(logs, { recursive: true });
  const runFolder = openRun();
  let root;
  const seconds = await imageSeconds(async (print) => {
    root = await systemdImage(suite, (line) => print(`${suite}: ${line}`));
  });
  await told('building the packages', () => buildPackages(project));
  const payload = await told('gathering the files for the guest', () =>
    makePayload({ project, runFolder, entries: [], script, more }),
  );
  return {
    ...{ name, root, payload, imageSeconds: seconds, init: systemd },
    consoleLog: join(logs, `${name}.console.log`),
    results: join(logs, `${name}.results.ndjson`),
    emulatorLog: join(runFolder, `${name}.emulator.log`),
  };
};

const showConsole = (file) => {
  print(`the end of ${relative(project, file)}:`);
  for (const line of endOf(file)) print(`  | ${line}`);
};

/** Debian's policy, where lintian is at hand, as a record like those of the guest. */
const lint = () => {
  const name = 'lintian finds no error and no warning';
  if (spawnSync('lintian', ['--version']).error !== undefined)
    return { skip: name, reason: 'lintian does not run here' };
  return { name, ok: lintPackages([join(project, packagesFolder, 'first.deb')]) === 0, detail: 'see above' };
};

/** Resolves to the exit code. */
export const testPackage = async () => {
  const options = await prepare();
  const results = createResults({ name, logs, say: print });
  results.take(JSON.stringify(await told('running lintian', async () => lint())));
  const outcome = await runGuest({ ...options, onInit: results.begin, onLine: results.take, isTest: true });
  results.end(outcome);
  for (const line of complaintsIn(options.consoleLog)) results.note(`the kernel says: ${line}`);
  if (results.failures.length > 0) showConsole(options.consoleLog);
  const { seconds, starts } = outcome;
  const { lines, ok } = summaryOf([{ name, results, seconds, starts }], [], options.imageSeconds);
  for (const line of lines) print(line);
  return ok ? 0 : 1;
};

/** Runs a script of yours there in place of the tests, prints what it prints, and resolves to its exit code. */
export const execInPackageGuest = async (script) => {
  const options = await prepare(script);
  const output = scriptOutput(print);
  const { trouble } = await runGuest({ ...options, onLine: output.take });
  const status = output.status();
  if (status !== undefined) return status;
  remark(`the script did not end: ${trouble ?? 'the guest went off'}`);
  showConsole(options.consoleLog);
  return 1;
};
