/** Runs the commands of a whole check, each with its own totals, and sums them up. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { root } from '../paths.mjs';

const print = (line) => process.stdout.write(`${line}\n`);

const totalsLine = /^(\d+) passed, (\d+) failed, (\d+) skipped$/gm;
const retriedLine = /^retried: (\d+)$/gm;
/** As run.mjs, test/kernels and test/bare print the failures of a suite. */
const failureLine = /^(?:[a-z0-9.-]+: )?failed: .*$/gm;

/** A command that prints no totals is one test by itself. */
const countsOf = (output, isOneTest, status) => {
  if (isOneTest) return status === 0 ? [1, 0, 0] : [0, 1, 0];
  const [, ...counts] = [...output.matchAll(totalsLine)].at(-1) ?? [];
  return counts.map(Number);
};

/** Why a step has failed although it names no failed test, if so: it ran none, or its command failed. */
const complaintOf = ([passed = 0, failed = 0], status) => {
  if (passed + failed === 0) return 'it ran no test';
  return status !== 0 && failed === 0 ? `it ended with ${status}` : undefined;
};

const runCommand = async ([command, ...args], isQuiet, env) => {
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', command, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    if (!isQuiet) process.stdout.write(text);
  });
  const [code, signal] = await once(child, 'close');
  return { status: code ?? signal, output };
};

/** What a step has come to, by what its command printed and its exit code or signal. */
export const resultOf = ({ name, isOneTest = false }, { status, output }) => {
  const counts = countsOf(output, isOneTest, status);
  const complaint = complaintOf(counts, status);
  const [passed = 0, failed = 0, skipped = 0] = counts;
  const failures = output.match(failureLine) ?? [];
  if (complaint !== undefined) failures.push(complaint);
  else if (isOneTest && failed > 0) failures.push(`it ended with ${status}`);
  return {
    name,
    passed,
    failed: complaint === undefined ? failed : failed + 1,
    skipped,
    retried: [...output.matchAll(retriedLine)].reduce((sum, [, count]) => sum + Number(count), 0),
    failures: failures.map((failure) => `${name}: ${failure}`),
  };
};

/**
 * Runs one step to its end.
 * @param step `name`; `command` with its arguments; `env` besides ours; `isOneTest` where it prints no totals; `isQuiet`
 *   where others print meanwhile: its output follows when it has ended
 */
export const runStep = async (step) => {
  const { name, command, env = {}, isQuiet = false } = step;
  const title = `== ${name}: ${command.join(' ')}`;
  if (!isQuiet) print(title);
  const began = performance.now();
  const ran = await runCommand(command, isQuiet, env);
  if (isQuiet) print(`${title}\n${ran.output.trimEnd()}`);
  return { ...resultOf(step, ran), seconds: (performance.now() - began) / 1000 };
};

/** Prints what came of the steps, last `N passed, N failed, N skipped`. @returns the exit code */
export const summarize = (results, remarks = []) => {
  const sum = (field) => results.reduce((total, result) => total + result[field], 0);
  const failures = results.flatMap((result) => result.failures);
  if (failures.length > 0) print(`== failures\n${failures.join('\n')}`);
  print('== results');
  for (const { name, passed, failed, skipped, seconds } of results)
    print(`${name}: ${seconds.toFixed(0)} s: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  for (const remark of remarks) print(remark);
  print(`retried: ${sum('retried')}`);
  print(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
  return sum('failed') === 0 ? 0 : 1;
};
