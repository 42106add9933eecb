/**
 * What is expensive to make and outlives a run: root file systems and images of them, outside the tree. Each is
 * kept under a hash of its recipe, so that a changed recipe makes a new one.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';

export const cache = join(process.env.XDG_CACHE_HOME || '/var/cache', 'mmaplockd-test');

/** Longer than any run takes. */
const staleMilliseconds = 3 * 3600 * 1000;

/** Deletes a root or the folder of a run, unless something is mounted under it. */
export const removeRoot = (root) => {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((path) => path?.startsWith(root));
  if (mounts.length > 0) throw new Error(`not deleted, for something is mounted there: ${mounts.join(', ')}`);
  return run('rm', ['-rf', '--one-file-system', root]);
};

/** Deletes what runs that were killed have left. */
const removeStale = async () => {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    if (!/^(run|partial)-/.test(name) || Date.now() - statSync(path).mtimeMs < staleMilliseconds) continue;
    await removeRoot(path);
  }
};

/** Makes the cache where it is missing and tidies it. To be called before anything else here. */
export const openCache = async () => {
  mkdirSync(cache, { recursive: true });
  await removeStale();
};

/** For the end of a process, where nothing can be waited for: a folder in which nothing was ever mounted. */
export const removeRunFolder = (folder) => rmSync(folder, { recursive: true, force: true });

/** A new empty folder for one run, which deletes it in the end. */
export const createRunFolder = () => mkdtempSync(join(cache, 'run-'));

/** A new empty folder for one run, deleted in the end also when a signal ends it. */
export const openRun = () => {
  const folder = createRunFolder();
  process.on('exit', () => removeRunFolder(folder));
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])
    process.on(signal, () => process.exit(code));
  return folder;
};

/**
 * The path of what a recipe makes. Where it is not there yet, `make` is called with an empty folder, which takes
 * its final name only when it is whole: a run that is killed leaves nothing that looks finished.
 */
export const cached = async (name, recipe, make) => {
  const hash = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);
  const path = join(cache, `${name}-${hash}`);
  if (existsSync(path)) return path;
  const partial = mkdtempSync(join(cache, 'partial-'));
  try {
    await make(partial);
    chmodSync(partial, 0o755); // it may become a root directory, which other users of the host enter too
    renameSync(partial, path);
  } catch (error) {
    await removeRoot(partial);
    // Two runs at once make the same, and the second to finish finds it there.
    if (!(existsSync(path) && ['ENOTEMPTY', 'EEXIST'].includes(error.code))) throw error;
  }
  return path;
};
