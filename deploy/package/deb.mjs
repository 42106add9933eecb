/** Packs a tree into a .deb, and remembers it: as it is released, xz takes over a minute for Node. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { filesUnder } from '../bootstrap/build.mjs';
import { CannotGoOn, say } from '../bootstrap/report.mjs';
import { runLogged } from '../bootstrap/run.mjs';
import { controlFiles } from './control.mjs';
import { layOut } from './lay-out.mjs';
import { work } from './paths.mjs';

/** Of names, modes and bytes. */
const fingerprint = (tree, seconds) => {
  const hash = createHash('sha256').update(`${seconds}\n`);
  for (const file of filesUnder(tree))
    hash
      .update(`${relative(tree, file)}\0${statSync(file).mode}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
};

/**
 * `released` is for users. `fast` is for what looks at the contents alone: it takes some seconds, and is half as large
 * again. One thread: xz cuts its input otherwise where the number of threads is another.
 */
const compressions = {
  released: ['--threads-max=1', '-Zxz', '-z6'],
  fast: ['-Zgzip', '-z1'],
};

/** Owner and group are root, whoever builds; the time of the archive itself is that of SOURCE_DATE_EPOCH, too. */
const pack = async (tree, file, seconds, compression) => {
  const partial = `${file}.${process.pid}`;
  const options = ['--root-owner-group', ...compressions[compression], '--build', tree, partial];
  const { ok, said } = await runLogged('dpkg-deb', options, { env: { SOURCE_DATE_EPOCH: String(seconds) } });
  if (!ok) throw new CannotGoOn(`dpkg-deb failed: ${said}`, 'see what it says');
  renameSync(partial, file);
};

/** Earlier ones of the same name; what another build is at work on stays. */
const forget = (name, kept) => {
  for (const found of readdirSync(work))
    if (found !== kept && found.startsWith(`${name}.`) && /\.[0-9a-f]{16}$/.test(found))
      rmSync(join(work, found));
};

/**
 * @param files as packageTree() gives them
 * @param about `version`, `architecture`, and `seconds` since the epoch for all times in it
 * @param out the folder it goes to
 * @param compression a name of `compressions`
 * @returns its path
 */
export const makePackage = async (files, { version, architecture, seconds }, out, compression) => {
  const name = `mmaplockd_${version}_${architecture}`;
  mkdirSync(work, { recursive: true });
  const tree = mkdtempSync(join(work, 'tree-'));
  try {
    layOut(tree, files, seconds);
    const conffiles = files.filter(({ conffile }) => conffile).map(({ path }) => path);
    layOut(tree, controlFiles(tree, conffiles, { version, architecture }), seconds);
    const kept = `${name}.${compression}.${fingerprint(tree, seconds)}`;
    const packed = join(work, kept);
    if (existsSync(packed)) say(`${name}.deb has been packed already, and nothing in it has changed`);
    else {
      say(`packing ${name}.deb, which takes ${compression === 'fast' ? 'some seconds' : 'a minute'}`);
      await pack(tree, packed, seconds, compression);
      forget(`${name}.${compression}`, kept);
    }
    mkdirSync(out, { recursive: true });
    const target = join(out, `${name}.deb`);
    copyFileSync(packed, target);
    return target;
  } finally {
    rmSync(tree, { recursive: true });
  }
};

/** What `dpkg-deb` says of a package, or why it does not. */
export const describePackage = (file) => {
  const { status, stdout, stderr, error } = spawnSync('dpkg-deb', ['--field', file, 'Installed-Size']);
  if (status !== 0) throw new CannotGoOn(`${file}: ${error?.message ?? stderr}`, 'build it again');
  const mib = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;
  const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
  return `${mib(statSync(file).size)}, installed ${mib(Number(stdout) * 1024)}, sha256 ${sum}`;
};
