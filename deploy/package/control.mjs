/** The files of DEBIAN/ in a package: deb-control(5), deb-conffiles(5), deb-md5sums(5), deb-postinst(5). */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { filesUnder } from '../bootstrap/build.mjs';
import { debian } from './paths.mjs';

export const scripts = ['postinst', 'postrm', 'prerm'];

/**
 * The fields of deploy/debian/control, with those that only the build knows after the name.
 * @param size in KiB, installed
 */
export const controlFields = (template, { version, architecture, size }) =>
  template.replace(
    /^Package: .*\n/,
    (line) => `${line}Version: ${version}\nArchitecture: ${architecture}\nInstalled-Size: ${size}\n`,
  );

/** KiB that a tree takes, counted as dpkg-gencontrol(1) does: each file rounded up, each directory 1. */
const installedSize = (tree) => {
  const files = filesUnder(tree);
  const folders = new Set(
    files.flatMap((file) => {
      const parts = relative(tree, file).split('/').slice(0, -1);
      return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    }),
  );
  return files.reduce((sum, file) => sum + Math.ceil(statSync(file).size / 1024), folders.size);
};

const md5 = (file) => createHash('md5').update(readFileSync(file)).digest('hex');

/**
 * @param tree a folder with the files of the package laid out
 * @param conffiles their paths in it
 * @returns files to lay out below DEBIAN/
 */
export const controlFiles = (tree, conffiles, { version, architecture }) => {
  const template = readFileSync(join(debian, 'control'), 'utf8');
  const sums = filesUnder(tree)
    .map((file) => [relative(tree, file), file])
    .filter(([path]) => !conffiles.includes(path))
    .map(([path, file]) => `${md5(file)}  ${path}\n`);
  return [
    {
      path: 'DEBIAN/control',
      text: controlFields(template, { version, architecture, size: installedSize(tree) }),
    },
    { path: 'DEBIAN/conffiles', text: conffiles.map((path) => `/${path}\n`).join('') },
    { path: 'DEBIAN/md5sums', text: sums.join('') },
    ...scripts.map((name) => ({ path: `DEBIAN/${name}`, from: join(debian, name), mode: 0o755 })),
  ];
};
