/** The file system of the bare host: a cached debootstrap root, copied for each run. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configureApt, packageSources } from '../roots/apt.mjs';
import { cache, cached, createRunFolder, openCache } from '../roots/cache.mjs';
import { run } from '../roots/command.mjs';
import { debootstrap } from '../roots/debootstrap.mjs';

/** The oldest release the README promises, on Debian; else the Ubuntu that runs here. */
const distribution = () => {
  const release = readFileSync('/etc/os-release', 'utf8');
  const field = (name) => release.match(new RegExp(`^${name}="?([^"\n]*)`, 'm'))?.[1] ?? '';
  return field('ID') === 'ubuntu'
    ? { origin: 'Ubuntu', suite: field('VERSION_CODENAME'), components: ['main', 'universe'] }
    : { origin: 'Debian', suite: 'bookworm', components: ['main'] };
};

const has = (program) => spawnSync(program, ['--version']).error === undefined;

const ensureDebootstrap = async () => {
  if (has('debootstrap')) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update'], { env });
  await run('apt-get', ['install', '-y', '--no-install-recommends', 'debootstrap'], { env });
};

/** The path of the cached root, which is made first where its recipe is new. */
const cachedRoot = (sources, print) => {
  const { suite, components, mirror } = sources;
  return cached(suite, { version: 2, suite, components, mirror }, async (root) => {
    await ensureDebootstrap();
    print(`making a ${suite} root with debootstrap, kept under ${cache}`);
    await debootstrap(sources, root);
  });
};

/** Makes the root that is kept, where its recipe is new. */
export const makeRootImage = async (print) => {
  await openCache();
  await cachedRoot(packageSources(distribution()), print);
};

/** The node that runs this and its npm, where an installation from nodejs.org puts them. */
const installNode = async (root) => {
  const npm = dirname(dirname(realpathSync(await run('sh', ['-c', 'command -v npm']))));
  const local = join(root, 'usr', 'local');
  cpSync(process.execPath, join(local, 'bin', 'node'));
  mkdirSync(join(local, 'lib', 'node_modules'), { recursive: true });
  cpSync(npm, join(local, 'lib', 'node_modules', 'npm'), { recursive: true, verbatimSymlinks: true });
  for (const name of ['npm', 'npx']) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name));
  }
};

const installSource = async (root, project, print) => {
  const uncommitted = await run('git', ['-C', project, 'status', '--porcelain']);
  if (uncommitted !== '') print(`not tested, since not committed:\n${uncommitted}`);
  const archive = join(root, 'src.tar');
  mkdirSync(join(root, 'src'));
  await run('git', ['-C', project, 'archive', '--format=tar', `--output=${archive}`, 'HEAD']);
  await run('tar', ['-xf', archive, '-C', join(root, 'src')]);
  rmSync(archive);
};

/** Makes the root of one run and resolves to its path. */
export const createRoot = async (project, print) => {
  await openCache();
  const sources = packageSources(distribution());
  const base = await cachedRoot(sources, print);
  const root = createRunFolder();
  await run('cp', ['-a', '--reflink=auto', `${base}/.`, root]);
  configureApt(root, sources);
  await installNode(root);
  await installSource(root, project, print);
  return root;
};
