/** The package on the bare host: built here, installed there, and what its command line says. */
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from '../roots/command.mjs';

const minute = 60_000;
/** Not under /tmp, where the host has a file system of its own. */
const place = 'srv/mmaplockd.deb';

/** Packed in seconds; what is in it is what is released. @returns its path */
export const buildDeb = async (project, folder) => {
  await run(process.execPath, ['deploy/package.mjs', '--fast', '--out', folder], { cwd: project });
  const [name, ...others] = readdirSync(folder).filter((file) => file.endsWith('.deb'));
  if (name === undefined || others.length > 0) throw new Error(`${folder} does not hold one package`);
  return join(folder, name);
};

/** apt has dpkg install it, and what it depends on where that is missing. @returns why it could not, or undefined */
export const installDeb = async (host, root, deb, log) => {
  cpSync(deb, join(root, place));
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', `/${place}`];
  const status = await host.run(['env', 'DEBIAN_FRONTEND=noninteractive', ...install], log).end(5 * minute);
  return status === 0 ? undefined : `apt-get ended with ${status}`;
};

/** Names of the fragments that the installed `mmaplockd check` knows, and of those in bpf/, both sorted. */
export const fragmentsIn = async (host, project, file) => {
  await host.run(['mmaplockd', 'check', '--json'], file).end(2 * minute);
  const text = readFileSync(file, 'utf8');
  const { fragments } = JSON.parse(text.slice(text.indexOf('{')));
  const wanted = readdirSync(join(project, 'bpf'), { recursive: true })
    .filter((file) => file.endsWith('.bt'))
    .map((file) => basename(file, '.bt'));
  return { found: fragments.map(({ fragment }) => fragment).sort(), wanted: wanted.sort() };
};

/** The demonstration compiles its load there. @returns what is wrong with it, or undefined */
export const demoOf = async (host, file) => {
  const status = await host
    .run(['mmaplockd', 'demo', '--seconds', '4', '--allow-second'], file)
    .end(5 * minute);
  if (status !== 0) return `it ended with ${status}`;
  return /^writers \(pid \d+\) waited /m.test(readFileSync(file, 'utf8')) ? undefined : 'it shows no waits';
};
