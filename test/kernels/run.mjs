/**
 * Boots the kernels of the matrix, each with the bpftrace of its release, and runs the tests of test/kernels/guest
 * in them, or a script in their place.
 *
 * It is run by `npm run test:kernels`, which installs and builds first. A machine without KVM will do: the
 * emulator is slow, and counts and lock paths do not depend on time.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCache, openRun, removeRunFolder } from '../roots/cache.mjs';
import { complaintsIn, endOf } from './console.mjs';
import { runGuest } from './guest.mjs';
import { imageSeconds } from './image-seconds.mjs';
import { bootFilesOf, reasonToSkip } from './kernels.mjs';
import { matrix } from './matrix.mjs';
import { makePayload } from './payload.mjs';
import { createResults } from './results.mjs';
import { scriptOutput } from './script-output.mjs';
import { summaryOf } from './summary.mjs';
import { currentTurn, hashOf, kernelsToRun, readTested, withPassed, writeTested } from './tested.mjs';

const project = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const logs = join(project, 'dist', 'kernels');

const print = (line) => process.stdout.write(`${line}\n`);
const remark = (line) => process.stderr.write(`${line}\n`);

export const kernelNames = matrix.map(({ name }) => name);

/** Calls `work` for each item in order, for some of them at a time. */
const forEach = async (items, atOnce, work) => {
  const queue = [...items];
  const next = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, next));
};

/**
 * Roots first, each once, so that no guest waits for one while others run. Resolves to the seconds it took, 0
 * where all were there.
 */
const makeImages = async (entries) => {
  const imageOf = ({ suite, kernel }) => `${suite} ${kernel.package} ${kernel.from}`;
  const first = [...new Map(entries.map((entry) => [imageOf(entry), entry])).values()];
  return imageSeconds((print) =>
    forEach(first, availableParallelism(), (entry) =>
      bootFilesOf(entry, project, (line) => print(`${entry.suite}: ${line}`)),
    ),
  );
};

/** Something of the tree can be built anew at this very moment: then once more. */
const payloadFor = async (options) => {
  try {
    return await makePayload(options);
  } catch (error) {
    remark(`the files for the guests could not be gathered: ${error.message}; trying once more`);
    removeRunFolder(join(options.runFolder, 'payload'));
    return makePayload(options);
  }
};

const prepare = async (entries, script, more = []) => {
  await openCache();
  mkdirSync(logs, { recursive: true });
  const runFolder = openRun();
  const made = await makeImages(entries);
  const payload = await payloadFor({ project, runFolder, entries, script, more });
  return { runFolder, payload, imageSeconds: made };
};

const showConsole = (file, show) => {
  show(`the end of ${relative(project, file)}:`);
  for (const line of endOf(file)) show(`  | ${line}`);
};

const guestOptions = async (entry, { runFolder, payload }, folder, prefix) => ({
  name: entry.name,
  boot: entry.boot,
  root: await bootFilesOf(entry, project, remark),
  payload,
  consoleLog: join(folder, `${prefix}.console.log`),
  results: join(folder, `${prefix}.results.ndjson`),
  emulatorLog: join(runFolder, `${prefix}.emulator.log`),
});

const testKernel = async (entry, run) => {
  const { name } = entry;
  const results = createResults({ name, logs, say: (line) => print(`${name}: ${line}`) });
  const options = await guestOptions(entry, run, logs, name);
  print(`${name}: starting`);
  const outcome = await runGuest({ ...options, onInit: results.begin, onLine: results.take, isTest: true });
  results.end(outcome);
  for (const line of complaintsIn(options.consoleLog)) results.note(`the kernel says: ${line}`);
  if (results.failures.length > 0) showConsole(options.consoleLog, (line) => print(`${name}: ${line}`));
  return { name, results, seconds: outcome.seconds, starts: outcome.starts };
};

/** Entries that can run here; of the others it prints why not. */
const ableOf = (entries) => {
  const skips = entries.flatMap((entry) => {
    const reason = reasonToSkip(entry, project);
    return reason === undefined ? [] : [{ name: entry.name, reason }];
  });
  for (const { name, reason } of skips) print(`skipped: ${name}: ${reason}`);
  return { skips, able: entries.filter(({ name }) => !skips.some((skip) => skip.name === name)) };
};

/** Names of those that are due by test/tested.json; prints why. */
export const dueKernels = () => {
  const names = matrix
    .filter((entry) => entry.hosts !== true && reasonToSkip(entry, project) === undefined)
    .map(({ name }) => name);
  const [tested, hash, turn] = [readTested(project), hashOf(project), currentTurn(project)];
  const due = kernelsToRun({ tested, hash, turn, names });
  print(`due: ${due.names.join(', ') || 'none'}: ${due.why}`);
  return due.names;
};

/** Those that passed are written into test/tested.json. */
const keepPassed = (ran, hash) => {
  const passed = ran
    .filter(({ results }) => results.failures.length === 0)
    .map(({ name, results: { facts } }) => [
      name,
      { hash, release: facts.release, bpftrace: facts.bpftrace },
    ]);
  writeTested(project, withPassed(readTested(project), Object.fromEntries(passed), kernelNames));
};

/** Makes the images that the kernels named need, where they are not there yet. */
export const makeImagesOf = async (names) => {
  await openCache();
  const { able } = ableOf(matrix.filter(({ name }) => names.includes(name)));
  print(`images: ${await makeImages(able)} s`);
};

/**
 * Runs the tests on the kernels named. Resolves to the exit code.
 * @param options `whole`: with the second run of the scenarios by kprobes
 */
export const testKernels = async (names, { whole = false } = {}) => {
  const hash = hashOf(project);
  const { skips, able } = ableOf(matrix.filter(({ name }) => names.includes(name)));
  const ran = new Map();
  let run = { imageSeconds: 0 };
  if (able.length > 0) {
    run = await prepare(able.map((entry) => ({ ...entry, whole })));
    const longestFirst = able.toSorted((a, b) => b.seconds - a.seconds);
    await forEach(longestFirst, availableParallelism(), async (entry) => {
      ran.set(entry.name, await testKernel(entry, run));
    });
  }
  const inOrder = able.map(({ name }) => ran.get(name));
  keepPassed(inOrder, hash);
  const { lines, ok } = summaryOf(inOrder, skips, run.imageSeconds);
  for (const line of lines) print(line);
  return ok ? 0 : 1;
};

const runScript = async (entry, run, take, emulator = []) => {
  const output = scriptOutput(take);
  const options = await guestOptions(entry, run, run.runFolder, entry.name);
  const { began, trouble, starts } = await runGuest({ ...options, emulator, onLine: output.take });
  const kept = join(logs, `${entry.name}.exec.console.log`);
  if (existsSync(options.consoleLog)) renameSync(options.consoleLog, kept);
  if (starts > 1) remark(`${entry.name}: started ${starts} times, for it did not reach its init at first`);
  const status = output.status();
  if (status !== undefined) return status;
  remark(
    `${entry.name}: ${began ? 'the script did not end' : 'no boot'}: ${trouble ?? 'the guest went off'}`,
  );
  showConsole(kept, remark);
  return 1;
};

/** Runs a shell script on the kernels named, prints what it prints, and resolves to its exit code. */
export const execInKernels = async (names, script) => {
  const entries = matrix.filter(({ name }) => names.includes(name));
  for (const entry of entries) {
    const reason = reasonToSkip(entry, project);
    if (reason !== undefined) throw new Error(`${entry.name}: ${reason}`);
  }
  const run = await prepare(entries, script);
  const statuses = [];
  await forEach(entries, availableParallelism(), async (entry) => {
    const prefix = entries.length > 1 ? `${entry.name}: ` : '';
    statuses.push(await runScript(entry, run, (line) => print(`${prefix}${line}`)));
  });
  return statuses.find((status) => status !== 0) ?? 0;
};

/**
 * Runs a shell script on one kernel, by its name or its Debian release.
 * @param options `more` files and folders of the project that it needs; further arguments of the `emulator`; `take`
 *   gets each line it prints
 * @returns {Promise<number>} its exit code
 */
export const scriptOnKernel = async (name, script, { more, emulator, take }) => {
  const entry = matrix.find((one) => one.name === name) ?? matrix.find((one) => one.suite === name);
  if (entry === undefined)
    throw new Error(`unknown kernel "${name}"; name one of ${kernelNames.join(', ')}, or a Debian release`);
  const reason = reasonToSkip(entry, project);
  if (reason !== undefined) throw new Error(`${entry.name}: ${reason}`);
  return runScript(entry, await prepare([entry], script, more), take, emulator);
};
