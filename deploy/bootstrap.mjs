/**
 * The two commands of the README, from a clean clone to a result: `npm start` and `npm test`.
 *
 * Plain JavaScript without dependencies, since it runs before there are any. Each step does nothing when its
 * result is there already, so a second run is quick.
 */
import { buildSources } from './bootstrap/build.mjs';
import { reportHost, runDaemon } from './bootstrap/daemon.mjs';
import { extendPath, mountTracefs, requireHost } from './bootstrap/host.mjs';
import { installNodeModules } from './bootstrap/npm.mjs';
import { CannotGoOn, say } from './bootstrap/report.mjs';
import { runTests } from './bootstrap/tests.mjs';
import { ensureTools, toolsToRun, toolsToTest } from './bootstrap/tools.mjs';

const usage = 'usage: npm start [-- DAEMON_FLAGS], npm test [-- [unit|live] [PART_OF_A_FILE_NAME]...]';

const prepare = async (tools) => {
  requireHost();
  extendPath();
  await ensureTools(tools);
  await installNodeModules();
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
