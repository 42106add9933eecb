/**
 * `npm run package`: the Debian packages, from a clean clone to files in dist/packages.
 *
 * Needs Node and dpkg-deb, and no root. The second time it does only what has changed.
 */
import { spawnSync } from 'node:child_process';
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { installNodeModules } from './bootstrap/npm.mjs';
import { CannotGoOn, say } from './bootstrap/report.mjs';
import { packages } from './package/paths.mjs';

const usage =
  'usage: npm run package [-- [--arch amd64|arm64|all]... [--out DIR] [--fast] [--lint] [--verify | --generate]]';

const flags = {
  arch: { type: 'string', multiple: true },
  out: { type: 'string', default: packages },
  fast: { type: 'boolean', default: false },
  lint: { type: 'boolean', default: false },
  verify: { type: 'boolean', default: false },
  generate: { type: 'boolean', default: false },
};

const readArguments = () => {
  try {
    return parseArgs({ options: flags }).values;
  } catch (error) {
    throw new CannotGoOn(error.message, usage);
  }
};

const thisArchitecture = () => {
  const name = { x64: 'amd64', arm64: 'arm64' }[process.arch];
  if (name === undefined)
    throw new CannotGoOn(`there is no package for ${process.arch}`, 'name one: --arch amd64');
  return name;
};

const architecturesOf = (given, known) => {
  const wanted = (given ?? [thisArchitecture()]).flatMap((name) => (name === 'all' ? known : [name]));
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new CannotGoOn(`there is no package for "${unknown}"`, usage);
  return [...new Set(wanted)];
};

const requireTools = () => {
  for (const [tool, of] of Object.entries({ 'dpkg-deb': 'dpkg', gzip: 'gzip', tar: 'tar' }))
    if (spawnSync(tool, ['--version']).error !== undefined)
      throw new CannotGoOn(`${tool} is missing`, `install ${of} with your package manager`);
};

/** Resolves to the exit code. What needs npm packages is loaded once they are there. */
const main = async () => {
  const { arch, out, fast, lint, verify, generate } = readArguments();
  await installNodeModules();
  if (generate) {
    const { writeGeneratedFiles } = await import('./package/generated.mjs');
    const written = await writeGeneratedFiles();
    say(
      written.length > 0
        ? `wrote ${written.join(' and ')}`
        : 'all generated files are as the sources want them',
    );
    return 0;
  }
  requireTools();
  const { architectures: known } = await import('./package/node-runtime.mjs');
  const architectures = architecturesOf(arch, known);
  const compression = fast ? 'fast' : 'released';
  if (verify) return (await import('./package/verify.mjs')).verifyPackages(architectures, compression);

  const { buildPackages } = await import('./package/build-package.mjs');
  const { describePackage } = await import('./package/deb.mjs');
  const files = await buildPackages(architectures, resolve(out), compression);
  for (const file of files) say(`${relative(process.cwd(), file)}: ${describePackage(file)}`);
  return lint ? (await import('./package/lint.mjs')).lintPackages(files) : 0;
};

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof CannotGoOn)) throw error;
  say(`cannot go on: ${error.message}`);
  say(`to mend it: ${error.mend}`);
  process.exitCode = 1;
}
