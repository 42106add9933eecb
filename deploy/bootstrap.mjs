/**
 * The commands of package.json, from a clean clone to a result: `npm start`, `npm test`, `npm run test:faults`,
 * `npm run test:page`, `npm run test:soak`, `npm run test:kernels`, `npm run test:package` and `npm run bench:cost`.
 *
 * Plain JavaScript without dependencies, since it runs before there are any. Each step does nothing when its
 * result is there already, so a second run is quick.
 */
import { benchArguments, runBench } from './bootstrap/bench.mjs';
import { buildSources } from './bootstrap/build.mjs';
import { reportHost, runDaemon } from './bootstrap/daemon.mjs';
import { extendPath, mountTracefs, requireHost } from './bootstrap/host.mjs';
import { kernelArguments, runKernels } from './bootstrap/kernels.mjs';
import { installNodeModules } from './bootstrap/npm.mjs';
import { runPackageTest } from './bootstrap/package-test.mjs';
import { CannotGoOn, say } from './bootstrap/report.mjs';
import { runFaults, runLook, runSoak, runTests, soakMinutes } from './bootstrap/tests.mjs';
import {
  ensureTools,
  toolsToBoot,
  toolsToLint,
  toolsToLook,
  toolsToRun,
  toolsToTest,
} from './bootstrap/tools.mjs';

const usage =
  'usage: npm start [-- DAEMON_FLAGS], npm test [-- [unit|live] [PART_OF_A_FILE_NAME]...], ' +
  'npm run test:faults [-- PART_OF_A_FILE_NAME...], npm run test:page [-- [--minutes N] PART_OF_A_FILE_NAME...], ' +
  'npm run test:soak [-- --minutes N], ' +
  'npm run test:kernels [-- [KERNEL]... [--exec SCRIPT]], ' +
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

const commands = {
  async start(args) {
    await prepare(toolsToRun);
    reportHost();
    return runDaemon(args);
  },
  async test(args) {
    await prepare([...toolsToRun, ...toolsToTest]);
    return runTests(args);
  },
  async faults(args) {
    await prepare([...toolsToRun, ...toolsToTest]);
    return runFaults(args);
  },
  async look(args) {
    await prepare([...toolsToRun, ...toolsToTest, ...toolsToLook]);
    return runLook(args);
  },
  async soak(args) {
    const minutes = soakMinutes(args);
    await prepare([...toolsToRun, ...toolsToTest]);
    return runSoak(minutes);
  },
  async kernels(args) {
    const wanted = await kernelArguments(args);
    await installWhatIsMissing(toolsToBoot);
    return runKernels(wanted);
  },
  async packageTest(args) {
    await installWhatIsMissing([...toolsToBoot, ...toolsToLint]);
    return runPackageTest(args);
  },
  async bench(args) {
    const wanted = benchArguments(args);
    const booting = wanted.guest === undefined ? [] : toolsToBoot;
    await prepare([...toolsToRun, ...toolsToTest, ...booting]);
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
