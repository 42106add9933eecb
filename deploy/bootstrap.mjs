/**
 * The commands of package.json and of .ci/run, from a clean clone to a result.
 *
 * Plain JavaScript without dependencies, since it runs before there are any. Each step does nothing when its
 * result is there already, so a second run is quick.
 */

import { benchArguments, runBench } from './bootstrap/bench.mjs';
import { buildSources } from './bootstrap/build.mjs';
import { reportHost, runDaemon } from './bootstrap/daemon.mjs';
import { extendPath, mountTracefs, requireHost } from './bootstrap/host.mjs';
import { kernelArguments, makeImages, runKernels } from './bootstrap/kernels.mjs';
import { installNodeModules } from './bootstrap/npm.mjs';
import { runPackageTest } from './bootstrap/package-test.mjs';
import { CannotGoOn, say } from './bootstrap/report.mjs';
import { runAll } from './bootstrap/tests/all.mjs';
import { runCi } from './bootstrap/tests/ci.mjs';
import { runFaults, runPage, runSoak, runTests, soakMinutes } from './bootstrap/tests/run.mjs';
import {
  ensureTools,
  toolsToBoot,
  toolsToLint,
  toolsToLook,
  toolsToRun,
  toolsToTest,
} from './bootstrap/tools.mjs';

const usage =
  'usage: npm start [-- DAEMON_FLAGS], npm test [-- [unit|core|live] [PART_OF_A_FILE_NAME]...], ' +
  'npm run test:all [-- SUITE...], npm run test:faults [-- [faults|siege|long-faults] PART_OF_A_FILE_NAME...], ' +
  'npm run test:page [-- [--minutes N] [browser|long-browser] PART_OF_A_FILE_NAME...], ' +
  'npm run test:soak [-- --minutes N], ' +
  'npm run test:kernels [-- [--due | KERNEL...] [--whole] [--exec SCRIPT]], ' +
  'npm run test:package [-- --exec SCRIPT], npm run bench:cost [-- [--guest KERNEL] FLAG...]';

const installWhatIsMissing = async (tools) => {
  requireHost();
  extendPath();
  await ensureTools(tools);
  await installNodeModules();
};

const prepare = async (tools) => {
  await installWhatIsMissing(tools);
  await buildSources();
  mountTracefs();
};

const toolsOfTests = [...toolsToRun, ...toolsToTest];

const commands = {
  async build() {
    requireHost();
    extendPath();
    await installNodeModules();
    await buildSources();
    return 0;
  },
  async tools() {
    await installWhatIsMissing([...toolsOfTests, ...toolsToLook, ...toolsToBoot]);
    return 0;
  },
  async images() {
    await makeImages();
    return 0;
  },
  async ci() {
    requireHost();
    extendPath();
    return runCi();
  },
  async all(args) {
    await prepare([...toolsOfTests, ...toolsToLook, ...toolsToBoot, ...toolsToLint]);
    return runAll(args);
  },
  async start(args) {
    await prepare(toolsToRun);
    reportHost();
    return runDaemon(args);
  },
  async test(args) {
    await prepare(toolsOfTests);
    return runTests(args);
  },
  async faults(args) {
    await prepare(toolsOfTests);
    return runFaults(args);
  },
  async page(args) {
    await prepare([...toolsOfTests, ...toolsToLook]);
    return runPage(args);
  },
  async soak(args) {
    const minutes = soakMinutes(args);
    await prepare(toolsOfTests);
    return runSoak(minutes);
  },
  async kernels(args) {
    const wanted = await kernelArguments(args);
    await installWhatIsMissing(toolsToBoot);
    return runKernels(wanted);
  },
  async 'package-test'(args) {
    await installWhatIsMissing([...toolsToBoot, ...toolsToLint]);
    return runPackageTest(args);
  },
  async bench(args) {
    const wanted = benchArguments(args);
    const booting = wanted.guest === undefined ? [] : toolsToBoot;
    await prepare([...toolsOfTests, ...booting]);
    return runBench(wanted);
  },
};

try {
  const [name, ...args] = process.argv.slice(2);
  if (!Object.hasOwn(commands, name ?? '')) throw new CannotGoOn(`unknown command "${name ?? ''}"`, usage);
  process.exitCode = await commands[name](args);
} catch (error) {
  if (!(error instanceof CannotGoOn)) throw error;
  say(`cannot go on: ${error.message}`);
  say(`to mend it: ${error.mend}`);
  process.exitCode = 1;
}
