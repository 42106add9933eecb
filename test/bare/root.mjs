/** The file system of the bare host: a cached debootstrap root, copied for each run. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { distribution, packageSources, transportOptions } from './apt.mjs';
import { networkFiles } from './network.mjs';

const cache = join(process.env.XDG_CACHE_HOME || '/var/cache', 'mmaplockd-test');

/** Longer than any run takes. */
const staleMilliseconds = 3 * 3600 * 1000;

/** Runs a command and returns what it printed; throws with its complaint. */
const run = (command, args, options = {}) => {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, ...options });
  if (result.status === 0) return result.stdout.trim();
  const said = result.error?.message ?? `${result.stdout}\n${result.stderr}`.trim();
  throw new Error(`${command} ${args.join(' ')}: ${said.split('\n').slice(-15).join('\n')}`);
};

const has = (program) => spawnSync(program, ['--version']).error === undefined;

/** In a mount namespace of its own: what debootstrap mounts while it works is gone with it, whatever happens. */
const debootstrap = (suite, components, target, mirror) =>
  run('unshare', [
    '--mount',
    'debootstrap',
    '--variant=minbase',
    `--components=${components.join(',')}`,
    suite,
    target,
    mirror,
  ]);

/** The path of the cached root, which is made first where its recipe is new. */
const cachedRoot = (print) => {
  const { suite, components, mirror, lines } = packageSources(distribution());
  const recipe = JSON.stringify({ version: 2, suite, components, mirror });
  const path = join(cache, `${suite}-${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}`);
  if (!existsSync(path)) {
    if (!has('debootstrap')) {
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
      run('apt-get', ['update'], { env });
      run('apt-get', ['install', '-y', '--no-install-recommends', 'debootstrap'], { env });
    }
    print(`making a ${suite} root with debootstrap, kept under ${cache}`);
    const partial = mkdtempSync(join(cache, 'partial-'));
    debootstrap(suite, components, partial, mirror);
    chmodSync(partial, 0o755); // it becomes a root directory, which other users of the host enter too
    renameSync(partial, path);
  }
  return { path, lines };
};

/** The node that runs this and its npm, where an installation from nodejs.org puts them. */
const installNode = (root) => {
  const npm = dirname(dirname(realpathSync(run('sh', ['-c', 'command -v npm']))));
  const local = join(root, 'usr', 'local');
  cpSync(process.execPath, join(local, 'bin', 'node'));
  mkdirSync(join(local, 'lib', 'node_modules'), { recursive: true });
  cpSync(npm, join(local, 'lib', 'node_modules', 'npm'), { recursive: true, verbatimSymlinks: true });
  for (const name of ['npm', 'npx']) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name));
  }
};

const installSource = (root, project, print) => {
  const uncommitted = run('git', ['-C', project, 'status', '--porcelain']);
  if (uncommitted !== '') print(`not tested, since not committed:\n${uncommitted}`);
  const archive = join(root, 'src.tar');
  mkdirSync(join(root, 'src'));
  run('git', ['-C', project, 'archive', '--format=tar', `--output=${archive}`, 'HEAD']);
  run('tar', ['-xf', archive, '-C', join(root, 'src')]);
  rmSync(archive);
};

const carryOver = (root, file) => {
  if (!existsSync(file)) return;
  mkdirSync(join(root, dirname(file)), { recursive: true });
  writeFileSync(join(root, file), readFileSync(file));
};

/** Deletes the root of a run, unless something is mounted under it. */
export const removeRoot = (root) => {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((path) => path?.startsWith(root));
  if (mounts.length > 0) throw new Error(`not deleted, for something is mounted there: ${mounts.join(', ')}`);
  run('rm', ['-rf', '--one-file-system', root]);
};

/** Deletes what runs that were killed have left. */
const removeStaleRoots = () => {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    if (!/^(run|partial)-/.test(name) || Date.now() - statSync(path).mtimeMs < staleMilliseconds) continue;
    removeRoot(path);
  }
};

/** Makes the root of one run and returns its path. */
export const createRoot = (project, print) => {
  mkdirSync(cache, { recursive: true });
  removeStaleRoots();
  const base = cachedRoot(print);
  const root = mkdtempSync(join(cache, 'run-'));
  run('cp', ['-a', '--reflink=auto', `${base.path}/.`, root]);
  writeFileSync(join(root, 'etc/apt/sources.list'), `${base.lines.join('\n')}\n`);
  writeFileSync(join(root, 'etc/apt/apt.conf.d/90transport'), `${transportOptions().join('\n')}\n`);
  for (const file of ['/etc/resolv.conf', '/etc/hosts', ...networkFiles()]) carryOver(root, file);
  installNode(root);
  installSource(root, project, print);
  return root;
};
