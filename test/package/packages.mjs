/** The two packages of the tests: the one that `npm run package` builds, and a later one to upgrade to. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../roots/command.mjs';

/** Where they are, counted from the project. */
export const packagesFolder = 'dist/package-test';

/** As a maintainer would who has changed nothing but the version: the files are the same, conffiles among them. */
const makeNext = async (file, folder) => {
  const tree = join(folder, 'next');
  await run('dpkg-deb', ['--raw-extract', file, tree]);
  const control = join(tree, 'DEBIAN/control');
  const text = readFileSync(control, 'utf8').replace(/^Version: (.*)$/m, 'Version: $1+next');
  writeFileSync(control, text);
  await run('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, join(folder, 'next.deb')]);
  rmSync(tree, { recursive: true });
};

/** Builds both as first.deb and next.deb. */
export const buildPackages = async (project) => {
  const folder = join(project, packagesFolder);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await run(process.execPath, ['deploy/package.mjs', '--fast', '--out', folder], { cwd: project });
  const [file, ...others] = readdirSync(folder).filter((name) => name.endsWith('.deb'));
  if (file === undefined || others.length > 0)
    throw new Error(`npm run package made ${others.length + (file ? 1 : 0)} packages`);
  await run('mv', [join(folder, file), join(folder, 'first.deb')]);
  await makeNext(join(folder, 'first.deb'), folder);
};
