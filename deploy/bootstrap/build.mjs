/** Compiles src/ and test/ into dist/, and the page with them, when the sources changed since the last build. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { dist, installLog, main, root } from './paths.mjs';
import { CannotGoOn, say } from './report.mjs';
import { runLogged } from './run.mjs';

const stamp = join(dist, '.built-from');

/** All files under a folder, sorted; none when the folder does not exist. */
export const filesUnder = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
        .sort()
    : [];

const fingerprint = () => {
  const sources = ['src', 'test'].flatMap((folder) => filesUnder(join(root, folder)));
  const files = [
    join(root, 'tsconfig.json'),
    join(root, 'package-lock.json'),
    ...sources.filter((file) => /\.ts$|\/src\/page\//.test(file)),
  ];
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex');
};

/** The compiler leaves the output of deleted sources; a deleted test would run for ever. */
const removeOrphans = () => {
  for (const file of ['src', 'test'].flatMap((folder) => filesUnder(join(dist, folder)))) {
    const source = join(root, relative(dist, file)).replace(/\.js(\.map)?$/, '.ts');
    if (/\.js(\.map)?$/.test(file) && !existsSync(source)) rmSync(file);
  }
};

/** Builds where needed; throws with the compiler's messages when they are errors. */
export const buildSources = async () => {
  const current = fingerprint();
  if (existsSync(main) && existsSync(stamp) && readFileSync(stamp, 'utf8') === current) return;
  say('compiling the sources into dist');
  // The compiler trusts its own record of what it wrote, also where somebody deleted part of it since.
  rmSync(join(dist, '.tsbuildinfo'), { force: true });
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { ok, said } = await runLogged(process.execPath, [compiler, '--project', root]);
  if (!ok) {
    process.stderr.write(`${said}\n`);
    throw new CannotGoOn(
      `the sources do not compile (all output: ${installLog})`,
      'correct the errors above',
    );
  }
  removeOrphans();
  const page = await runLogged(process.execPath, [join(root, 'deploy', 'page.mjs')]);
  if (!page.ok) throw new CannotGoOn(`the page cannot be bundled: ${page.said}`, 'correct the errors above');
  writeFileSync(stamp, current);
};
