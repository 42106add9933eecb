/** Runs the built test files and counts what came of them. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { filesUnder } from './build.mjs';
import { dist } from './paths.mjs';
import { CannotGoOn, say } from './report.mjs';

const testFolder = join(dist, 'test');
const eventsFile = join(dist, 'test-events.ndjson');
/** For test/bare, which compares what is skipped on a bare host with what is skipped here. */
const resultsFile = join(dist, 'test-results.json');
/** For one file with all its tests. */
const timeoutMilliseconds = 600_000;

/** Live suites watch the kernel of this host: two at once would see each other. */
const inFolder = (name) => ({
  name,
  concurrency: 1,
  timeoutMilliseconds,
  holds: (path) => path.startsWith(`${name}/`) && !path.includes('/', name.length + 1),
});

/** Those of `npm test`. */
const quickSuites = [
  {
    name: 'unit',
    concurrency: availableParallelism(),
    timeoutMilliseconds,
    holds: (path) => !/^(live|faults|soak|browser|bare|kernels\/guest)\//.test(path),
  },
  inFolder('live'),
];
/** What goes wrong, brought about on purpose: it takes minutes, and runs on its own. */
const faultSuites = [inFolder('faults')];
/** The page in a browser, and top in a terminal. */
const lookSuites = [inFolder('browser')];

const nameOf = (file) => relative(testFolder, file).split(sep).join('/');

/** Suites and files to run. Arguments are suite names, and parts that a file's name must all contain. */
const select = (suites, args) => {
  const files = filesUnder(testFolder).filter((file) => file.endsWith('.test.js'));
  const named = suites.filter(({ name }) => args.includes(name));
  const parts = args.filter((arg) => !suites.some(({ name }) => name === arg));
  const selected = (named.length > 0 ? named : suites).map((suite) => ({
    ...suite,
    files: files.filter(
      (file) => suite.holds(nameOf(file)) && parts.every((part) => nameOf(file).includes(part)),
    ),
  }));
  if (selected.every((suite) => suite.files.length === 0)) {
    throw new CannotGoOn(
      `no test file matches "${args.join(' ')}"`,
      `name a suite (${suites.map(({ name }) => name).join(', ')}) or a part of a file name`,
    );
  }
  return selected;
};

const runFiles = ({ concurrency, timeoutMilliseconds, files }) => {
  const reporter = new URL('./test-events.mjs', import.meta.url).href;
  const args = [
    '--test',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${timeoutMilliseconds}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${reporter}`,
    `--test-reporter-destination=${eventsFile}`,
    ...files,
  ];
  rmSync(eventsFile, { force: true });
  return new Promise((resolve, reject) => {
    const runner = spawn('setpriv', ['--pdeathsig', 'TERM', process.execPath, ...args], {
      stdio: 'inherit',
    });
    runner.once('error', reject);
    runner.once('close', (code, signal) => resolve(code ?? signal));
  });
};

const runSuite = async (suite) => {
  const status = await runFiles(suite);
  const lines = existsSync(eventsFile) ? readFileSync(eventsFile, 'utf8').split('\n').filter(Boolean) : [];
  const outcomes = lines
    .map((line) => JSON.parse(line))
    .map(({ file, ...rest }) => ({ file: nameOf(file), ...rest }));
  const of = (result) => outcomes.filter((outcome) => outcome.result === result);
  const failures = of('failed');
  // The runner itself can die; that must not look like success.
  if (status !== 0 && failures.length === 0) {
    failures.push({ file: '(runner)', name: `ended with ${status} and named no failed test` });
  }
  return { name: suite.name, passed: of('passed').length, failures, skips: of('skipped') };
};

const totals = (results) => {
  const sum = (count) => results.reduce((total, result) => total + count(result), 0);
  const failed = sum((result) => result.failures.length);
  const skipped = sum((result) => result.skips.length);
  return { failed, line: `${sum((result) => result.passed)} passed, ${failed} failed, ${skipped} skipped` };
};

/** Runs suites, prints the reasons of skips and the totals. */
const runSuites = async (suites) => {
  const results = [];
  for (const suite of suites) {
    if (suite.files.length === 0) continue;
    say(`running the ${suite.name} tests`);
    results.push(await runSuite(suite));
  }
  const print = (line) => process.stdout.write(`${line}\n`);
  for (const { name, failures, skips } of results) {
    for (const failure of failures)
      print(`failed: ${name} ${failure.file}: ${failure.reason ?? failure.name}`);
    for (const skip of skips) print(`skipped: ${name} ${skip.file}: ${skip.name}: ${skip.reason}`);
  }
  for (const result of results) print(`${result.name}: ${totals([result]).line}`);
  const { failed, line } = totals(results);
  print(line);
  return { results, exitCode: failed === 0 ? 0 : 1 };
};

/** Runs the selected ones of the unit and the live tests; resolves to the exit code. */
export const runTests = async (args) => {
  rmSync(resultsFile, { force: true });
  const { results, exitCode } = await runSuites(select(quickSuites, args));
  writeFileSync(resultsFile, JSON.stringify({ args, suites: results }, null, 1));
  return exitCode;
};

/** Runs the fault tests, or those whose file names contain all arguments; resolves to the exit code. */
export const runFaults = async (args) => (await runSuites(select(faultSuites, args))).exitCode;

/** What follows `npm run test:...`: `--minutes N`, N over 0, or how many are usual, and parts of file names. */
const minutesIn = (args, usual) => {
  const notUnderstood = () =>
    new CannotGoOn(`not understood: "${args.join(' ')}"`, `--minutes ${usual} (a week at most)`);
  let parsed;
  try {
    parsed = parseArgs({ args, options: { minutes: { type: 'string' } }, allowPositionals: true });
  } catch {
    throw notUnderstood();
  }
  const minutes = Number(parsed.values.minutes ?? usual);
  if (!(minutes > 0 && minutes <= 10_080)) throw notUnderstood();
  return { minutes, parts: parsed.positionals, notUnderstood };
};

/** Runs the tests that look at page and terminal, as above; `--minutes N` is how long ten pages stay open. */
export const runLook = async (args) => {
  const { minutes, parts } = minutesIn(args, 1);
  process.env.PAGES_MINUTES = String(minutes);
  const suites = lookSuites.map((suite) => lasting(suite, minutes));
  return (await runSuites(select(suites, parts))).exitCode;
};

/** `--minutes N` alone; 30 when it is left out. */
export const soakMinutes = (args) => {
  const { minutes, parts, notUnderstood } = minutesIn(args, 30);
  if (parts.length > 0) throw notUnderstood();
  return minutes;
};

const lasting = (suite, minutes) => ({
  ...suite,
  timeoutMilliseconds: suite.timeoutMilliseconds + minutes * 60_000,
});

/** Runs the soak test for so many minutes; resolves to the exit code. */
export const runSoak = async (minutes) => {
  process.env.SOAK_MINUTES = String(minutes);
  return (await runSuites(select([lasting(inFolder('soak'), minutes)], []))).exitCode;
};
