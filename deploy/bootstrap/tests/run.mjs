/** Runs the built test files and counts what came of them. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { filesUnder } from '../build.mjs';
import { dist } from '../paths.mjs';
import { CannotGoOn, say } from '../report.mjs';
import { outcomesOfPools, writePools } from './pools.mjs';
import { shareSlowness } from './slowness.mjs';
import { commands, suites } from './suites.mjs';

const testFolder = join(dist, 'test');
const poolsFolder = join(dist, 'test-pools');
const eventsFile = join(dist, 'test-events.ndjson');
/** One file a suite, for test/bare, which compares what is skipped on a bare host with what is skipped here. */
const skipsFolder = join(dist, 'test-skips');

const nameOf = (file) => relative(testFolder, file).split(sep).join('/');

/** The suites named, else all in which a part of a name can lie, else the usual ones. */
const suitesFor = ({ known, usual }, named, parts) => {
  if (named.length > 0) return named;
  // core is in live: with both, its file would run twice.
  return parts.length > 0 ? known.filter((name) => name !== 'core') : usual;
};

/** Suites and files to run. Arguments are suite names, and parts that a file's name must all contain. */
const select = (command, args) => {
  const { known } = commands[command];
  const named = known.filter((name) => args.includes(name));
  const parts = args.filter((arg) => !known.includes(arg));
  const wanted = suitesFor(commands[command], named, parts);
  const files = filesUnder(testFolder).filter((file) => file.endsWith('.test.js'));
  const selected = suites
    .filter(({ name }) => wanted.includes(name))
    .map((suite) => ({
      ...suite,
      files: files.filter(
        (file) => suite.holds(nameOf(file)) && parts.every((part) => nameOf(file).includes(part)),
      ),
    }))
    .filter((suite) => suite.files.length > 0);
  if (selected.length > 0) return selected;
  throw new CannotGoOn(
    `no test file matches "${args.join(' ')}"`,
    `name a suite (${known.join(', ')}) or a part of a file name`,
  );
};

const runFiles = ({ concurrency, fileMinutes, files }) => {
  const reporter = new URL('./events.mjs', import.meta.url).href;
  const args = [
    '--test',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${fileMinutes * 60_000}`,
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
  const began = performance.now();
  const pools = suite.pooled ? writePools(poolsFolder, suite.files, nameOf, suite.concurrency) : [];
  const status = await runFiles(suite.pooled ? { ...suite, files: pools.map(({ path }) => path) } : suite);
  const lines = existsSync(eventsFile) ? readFileSync(eventsFile, 'utf8').split('\n').filter(Boolean) : [];
  const reported = lines
    .map((line) => JSON.parse(line))
    .map(({ file, ...rest }) => ({ file: nameOf(file), ...rest }));
  const outcomes = outcomesOfPools(pools, reported, nameOf);
  const of = (result) => outcomes.filter((outcome) => outcome.result === result);
  const failures = of('failed');
  // The runner itself can die; that must not look like success.
  if (status !== 0 && failures.length === 0) {
    failures.push({ file: '(runner)', name: `ended with ${status} and named no failed test` });
  }
  return {
    name: suite.name,
    files: suite.files.map(nameOf),
    seconds: (performance.now() - began) / 1000,
    passed: of('passed').length,
    retries: of('retried'),
    failures,
    skips: of('skipped'),
  };
};

const totals = (results) => {
  const sum = (count) => results.reduce((total, result) => total + count(result), 0);
  const failed = sum((result) => result.failures.length);
  const skipped = sum((result) => result.skips.length);
  return { failed, line: `${sum((result) => result.passed)} passed, ${failed} failed, ${skipped} skipped` };
};

/** How long all of it took, from the start of this process: what had to be installed and built is in it. */
const spent = (limitSeconds, slowness) => {
  const seconds = performance.now() / 1000;
  const allowed = limitSeconds * slowness;
  const verdict = seconds > allowed ? 'over its limit' : 'within its limit';
  return `took ${seconds.toFixed(0)} s, ${verdict} of ${limitSeconds} s x ${slowness.toFixed(2)}`;
};

/**
 * Runs suites, prints the reasons of failures and skips, each missed time that was tried again, and the totals.
 * @param limitSeconds of all of them on a machine of slowness 1; it is reported, and is no reason to fail
 */
const runSuites = async (selected, limitSeconds) => {
  const slowness = shareSlowness();
  const results = [];
  for (const suite of selected) {
    say(`running the ${suite.name} tests`);
    results.push(await runSuite(suite));
  }
  const print = (line) => process.stdout.write(`${line}\n`);
  for (const { name, failures, skips, retries } of results) {
    for (const failure of failures)
      print(`failed: ${name} ${failure.file}: ${failure.reason ?? failure.name}`);
    for (const skip of skips) print(`skipped: ${name} ${skip.file}: ${skip.name}: ${skip.reason}`);
    for (const retry of retries) print(`tried again: ${name} ${retry.file}: ${retry.reason}`);
  }
  for (const { name, seconds } of results) print(`${name} took ${seconds.toFixed(0)} s`);
  if (limitSeconds !== undefined) print(spent(limitSeconds, slowness));
  print(`retried: ${results.reduce((sum, { retries }) => sum + retries.length, 0)}`);
  for (const result of results) print(`${result.name}: ${totals([result]).line}`);
  const { failed, line } = totals(results);
  print(line);
  return { results, exitCode: failed === 0 ? 0 : 1 };
};

/** Seconds that `npm test` without arguments may take. */
const usualLimit = 240;

/** Runs suites of `npm test`; resolves to the exit code. */
export const runTests = async (args) => {
  const selected = select('test', args);
  const { results, exitCode } = await runSuites(selected, args.length === 0 ? usualLimit : undefined);
  mkdirSync(skipsFolder, { recursive: true });
  for (const { name, files, skips } of results) {
    const kept = join(skipsFolder, `${name}.json`);
    // Of files that did not run now, what they skipped last still holds.
    const before = existsSync(kept) ? JSON.parse(readFileSync(kept, 'utf8')) : [];
    const all = [...before.filter(({ file }) => !files.includes(file)), ...skips];
    writeFileSync(kept, JSON.stringify(all, null, 1));
  }
  return exitCode;
};

/** Runs fault tests: the short ones unless told otherwise; resolves to the exit code. */
export const runFaults = async (args) => (await runSuites(select('faults', args))).exitCode;

/** What follows `npm run test:...`: `--minutes N`, N over 0, or how many are usual, and other words. */
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
  return { minutes, rest: parsed.positionals, notUnderstood };
};

const lasting = (minutes) => (suite) => ({ ...suite, fileMinutes: suite.fileMinutes + minutes });

/** Runs the tests that look at page and terminal; `--minutes N` is how long ten pages stay open. */
export const runPage = async (args) => {
  const { minutes, rest } = minutesIn(args, 10);
  process.env.PAGES_MINUTES = String(minutes);
  return (await runSuites(select('page', rest).map(lasting(minutes)))).exitCode;
};

/** `--minutes N` alone; 35 when it is left out. */
export const soakMinutes = (args) => {
  const { minutes, rest, notUnderstood } = minutesIn(args, 35);
  if (rest.length > 0) throw notUnderstood();
  return minutes;
};

/** Runs the soak test for so many minutes; resolves to the exit code. */
export const runSoak = async (minutes) => {
  process.env.SOAK_MINUTES = String(minutes);
  return (await runSuites(select('soak', []).map(lasting(minutes)))).exitCode;
};
