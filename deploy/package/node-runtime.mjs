/**
 * The Node that the package brings along: the releases Debian 12 and Ubuntu 24.04 have are too old. It comes from the
 * npm registry, as the package lock does, and is taken only with the bytes that node-runtime.json tells. To move on to
 * another release, write its version and the integrity that `npm view NAME@VERSION dist.integrity` prints.
 *
 * It is packed as it came. Without its symbols it would be 18 MB smaller on disk and 2.5 MB in the package, but no
 * longer what its makers have published, and other bytes with every version of strip.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { npmCommand } from '../bootstrap/npm.mjs';
import { CannotGoOn, say } from '../bootstrap/report.mjs';
import { runLogged } from '../bootstrap/run.mjs';
import { downloads, root } from './paths.mjs';

/** Version, and by Debian's name of an architecture the npm package with its integrity. */
export const nodeRuntime = JSON.parse(readFileSync(new URL('node-runtime.json', import.meta.url), 'utf8'));

export const architectures = Object.keys(nodeRuntime.packages);

const integrityOf = (file) => `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;

/** Runs a program that must succeed. */
const must = async (command, args, mend) => {
  const { ok, said } = await runLogged(command, args, { cwd: root });
  if (!ok) throw new CannotGoOn(`${command} failed: ${said}`, mend);
};

const download = async ({ name }, archive) => {
  say(`fetching Node ${nodeRuntime.version} (${name}, 50 MB) from the npm registry`);
  const [command, ...args] = npmCommand();
  const pack = ['pack', `${name}@${nodeRuntime.version}`, '--silent', '--pack-destination', downloads];
  await must(command, [...args, ...pack], 'let npm reach its registry: "npm config get registry" names it');
  if (!existsSync(archive)) throw new CannotGoOn(`npm pack left no ${archive}`, 'see what npm says of it');
};

/**
 * Fetches it unless that has been done, and unpacks it.
 * @param architecture one of `architectures`
 * @returns paths of the program and of its licence
 * @throws CannotGoOn where the registry is out of reach, or gives other bytes
 */
export const obtainNode = async (architecture) => {
  const runtime = nodeRuntime.packages[architecture];
  const archive = join(downloads, `${runtime.name}-${nodeRuntime.version}.tgz`);
  mkdirSync(downloads, { recursive: true });
  if (!existsSync(archive)) await download(runtime, archive);
  const found = integrityOf(archive);
  if (found !== runtime.integrity) {
    rmSync(archive);
    throw new CannotGoOn(
      `${runtime.name} ${nodeRuntime.version} is ${found}, not ${runtime.integrity}`,
      'run it again; if it happens again, the registry gives something else than node-runtime.json wants',
    );
  }
  const folder = join(downloads, `${runtime.name}-${nodeRuntime.version}`);
  if (!existsSync(folder)) {
    const partial = `${folder}.${process.pid}`;
    mkdirSync(partial);
    const wanted = ['package/bin/node', 'package/LICENSE'];
    await must('tar', ['-xzf', archive, '-C', partial, ...wanted], 'see what tar says');
    renameSync(partial, folder);
  }
  return { program: join(folder, 'package/bin/node'), licence: join(folder, 'package/LICENSE') };
};
