/** Builds the packages twice, from copies of the sources in two folders, and holds the bytes against each other. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CannotGoOn, say } from '../bootstrap/report.mjs';
import { runLogged } from '../bootstrap/run.mjs';
import { obtainNode } from './node-runtime.mjs';
import { downloads, root, work } from './paths.mjs';

/** Nothing of what was built before. */
const parts = readdirSync(root).filter((name) => !['dist', '.git'].includes(name));

/** Hard links: neither copy is written to, but for its dist. */
const copySources = async (folder) => {
  mkdirSync(join(folder, 'dist'), { recursive: true });
  for (const [from, to] of [
    ...parts.map((name) => [join(root, name), folder]),
    [downloads, join(folder, 'dist')],
  ]) {
    const { ok, said } = await runLogged('cp', ['-al', from, to]);
    if (!ok) throw new CannotGoOn(`cannot copy ${from}: ${said}`, 'make room on the disk');
  }
};

const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** @returns by the name of each package its sha256 */
const build = async (folder, architectures, { umask, timeZone }) => {
  await copySources(folder);
  const out = join(folder, 'out');
  const command = 'umask "$1"; shift; exec "$@"';
  const args = [process.execPath, join(folder, 'deploy/package.mjs'), '--out', out];
  for (const architecture of architectures) args.push('--arch', architecture);
  await new Promise((resolve, reject) => {
    const env = { ...process.env, TZ: timeZone, LC_ALL: 'C.UTF-8' };
    const child = spawn('sh', ['-c', command, 'sh', umask, ...args], { stdio: ['ignore', 2, 2], env });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`a build ended with ${code}`))));
  });
  return new Map(readdirSync(out).map((name) => [name, sha256(join(out, name))]));
};

/** @returns 0 where both are the same to the byte, else 1 */
export const verifyPackages = async (architectures) => {
  for (const architecture of architectures) await obtainNode(architecture);
  mkdirSync(work, { recursive: true });
  const folder = mkdtempSync(join(work, 'verify-'));
  try {
    const [first, second] = await Promise.all([
      build(join(folder, 'a'), architectures, { umask: '022', timeZone: 'UTC' }),
      build(join(folder, 'another', 'place'), architectures, { umask: '077', timeZone: 'Asia/Tokyo' }),
    ]);
    let same = first.size > 0 && first.size === second.size;
    for (const [name, sum] of first) {
      const other = second.get(name);
      say(other === sum ? `${name}: both builds are ${sum}` : `${name}: ${sum} and ${other}`);
      same &&= other === sum;
    }
    return same ? 0 : 1;
  } finally {
    if (existsSync(folder)) rmSync(folder, { recursive: true });
  }
};
