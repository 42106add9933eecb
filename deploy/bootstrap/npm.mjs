/** The npm packages of package-lock.json, installed when node_modules does not match it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installLog, root } from './paths.mjs';
import { CannotGoOn, say } from './report.mjs';
import { runLogged } from './run.mjs';

const readPackages = (file) => {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
};

/**
 * npm writes node_modules/.package-lock.json last, so it tells what is completely installed. Optional packages
 * made for other platforms are missing there rightly.
 */
const isUpToDate = () => {
  const wanted = readPackages('package-lock.json');
  const installed = readPackages('node_modules/.package-lock.json');
  if (wanted === undefined || installed === undefined) return false;
  const isAsWanted = ([path, entry]) =>
    path === '' ||
    (path in installed ? installed[path].integrity === entry.integrity : entry.optional === true);
  return Object.entries(wanted).every(isAsWanted) && Object.keys(installed).every((path) => path in wanted);
};

/** The npm that runs us, else the one on PATH; yarn and pnpm set npm_execpath too and know no `ci`. */
export const npmCommand = () => {
  const running = process.env.npm_execpath ?? '';
  return running.endsWith('npm-cli.js') ? [process.execPath, running] : ['npm'];
};

/** Runs `npm ci` where needed, with the development packages: the compiler is one of them. */
export const installNodeModules = async () => {
  if (isUpToDate()) return;
  say('installing the npm packages of package-lock.json into node_modules');
  const [command, ...args] = [...npmCommand(), 'ci', '--include=dev', '--no-audit', '--no-fund'];
  const { ok, said } = await runLogged(command, args, { cwd: root });
  if (ok) return;
  process.stderr.write(`${said}\n`);
  throw new CannotGoOn(
    `npm ci failed (all output: ${installLog})`,
    'see npm\'s message above; behind a proxy or a mirror, "npm config" must name it',
  );
};
