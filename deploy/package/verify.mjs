/** Builds the packages twice, from copies of the sources in two folders, and holds the bytes against each other. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CannotGoOn, say } from '../bootstrap/report.mjs';
import { runLogged } from '../bootstrap/run.mjs';
import { obtainNode } from './node-runtime.mjs';
import { downloads, root, work } from './paths.mjs';

const copy = async (options, from, to) => {
  const { ok, said } = await runLogged('cp', [options, from, to]);
  if (!ok) throw new CannotGoOn(`cannot copy ${from}: ${said}`, 'make room on the disk');
};

/**
 * A copy without what was built before. Large folders that nobody edits are linked; the second copy is one of the
 * first, for in between somebody may save a file.
 */
const copySources = async (from, folder) => {
  mkdirSync(join(folder, 'dist'), { recursive: true });
  for (const name of readdirSync(from).filter((found) => !['dist', '.git'].includes(found)))
    await copy(name === 'node_modules' ? '-al' : '-a', join(from, name), folder);
  await copy('-al', downloads, join(folder, 'dist'));
};

/** @returns the folder with the packages */
const build = async (folder, architectures, compression, { umask, timeZone }) => {
  const out = join(folder, 'dist/packages');
  const args = [process.execPath, join(folder, 'deploy/package.mjs'), '--out', out];
  for (const architecture of architectures) args.push('--arch', architecture);
  if (compression === 'fast') args.push('--fast');
  const env = { ...process.env, TZ: timeZone, LC_ALL: 'C.UTF-8' };
  const status = await new Promise((resolve, reject) => {
    const command = ['-c', 'umask "$1"; shift; exec "$@"', 'sh', umask, ...args];
    const child = spawn('sh', command, { stdio: ['ignore', 2, 2], env });
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) throw new CannotGoOn(`a build ended with ${status}`, 'see what it says above');
  return out;
};

const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Lines of the sums of files in a package. */
const sumsOf = (file) =>
  spawnSync('dpkg-deb', ['--info', file, 'md5sums', 'control'], { encoding: 'utf8' }).stdout.split('\n');

/** Says what it finds. */
const areSame = (name, first, second) => {
  const [one, other] = [sha256(join(first, name)), sha256(join(second, name))];
  if (one === other) {
    say(`${name}: both builds are ${one}`);
    return true;
  }
  const known = new Set(sumsOf(join(first, name)));
  const differing = sumsOf(join(second, name)).filter((line) => !known.has(line));
  say(`${name}: ${one} and ${other}; ${differing.join(', ') || 'times or modes'}`);
  return false;
};

/** @returns 0 where both are the same to the byte, else 1 */
export const verifyPackages = async (architectures, compression) => {
  for (const architecture of architectures) await obtainNode(architecture);
  mkdirSync(work, { recursive: true });
  const folder = mkdtempSync(join(work, 'verify-'));
  try {
    const [here, there] = [join(folder, 'a'), join(folder, 'another', 'place')];
    await copySources(root, here);
    await copySources(here, there);
    const [first, second] = await Promise.all([
      build(here, architectures, compression, { umask: '022', timeZone: 'UTC' }),
      build(there, architectures, compression, { umask: '077', timeZone: 'Asia/Tokyo' }),
    ]);
    return readdirSync(first).filter((name) => !areSame(name, first, second)).length === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
};
