/**
 * test/tested.json: for each kernel the hash of the sources with which it passed, and on what. Those are the sources
 * whose effect depends on the kernel, so where the hash is still the same, few kernels need another run.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** What depends on the kernel and on the bpftrace of its release. */
export const hashed = ['bpf', 'src/kernel', 'src/probes', 'src/bpftrace'];

/** They stand for the others: the oldest kernel and bpftrace, and the newest. */
const first = ['6.1', '7.2'];

const dayMilliseconds = 86_400_000;

const fileOf = (project) => join(project, 'test', 'tested.json');

const filesUnder = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

/** The hash of all names and contents. */
export const hashOf = (project) => {
  const files = hashed
    .flatMap((folder) => filesUnder(join(project, folder)))
    .map((path) => ({ path, name: relative(project, path).split(sep).join('/') }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const hash = createHash('sha256');
  for (const { path, name } of files) {
    const contents = readFileSync(path);
    // Lengths, so that no bytes of one file can pass for the beginning of the next.
    hash.update(`${name}\0${contents.length}\0`).update(contents);
  }
  return hash.digest('hex').slice(0, 16);
};

/**
 * Which kernels are due.
 * @param tested what test/tested.json holds
 * @param turn a number that grows from run to run
 * @param names of the kernels that can run here
 * @returns {{names: string[], why: string}}
 */
export const kernelsToRun = ({ tested, hash, turn, names }) => {
  if (names.length === 0) return { names: [], why: 'no kernel can run here' };
  const stale = names.filter((name) => tested[name]?.hash !== hash);
  const due = first.filter((name) => stale.includes(name));
  if (due.length > 0)
    return { names: due, why: `not passed yet with ${hashed.join(', ')} as they are (${hash})` };
  const candidates = stale.length > 0 ? stale : names;
  const name = candidates[turn % candidates.length];
  const told = stale.length > 0 ? `${first.join(' and ')} passed, ${stale.join(', ')} not yet` : 'all passed';
  return { names: [name], why: `with these sources (${hash}) ${told}; by turns, turn ${turn}` };
};

/** A number that is another at the next commit, and where there is no history, on the next day. */
export const currentTurn = (project) => {
  try {
    const options = { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
    return Number(execFileSync('git', ['rev-list', '--count', 'HEAD'], options));
  } catch {
    return Math.floor(Date.now() / dayMilliseconds);
  }
};

/** @returns {Record<string, {hash: string, release: string, bpftrace: string}>} */
export const readTested = (project) =>
  existsSync(fileOf(project)) ? JSON.parse(readFileSync(fileOf(project), 'utf8')) : {};

/**
 * The same with the kernels that passed, in the order of the matrix; one that is not in it any more is left out.
 * @param passed entries by name
 */
export const withPassed = (tested, passed, order) =>
  Object.fromEntries(
    order.flatMap((name) => {
      const entry = passed[name] ?? tested[name];
      return entry === undefined ? [] : [[name, entry]];
    }),
  );

/** Writes it where that changes something. */
export const writeTested = (project, tested) => {
  const text = `${JSON.stringify(tested, null, 2)}\n`;
  const file = fileOf(project);
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
};
