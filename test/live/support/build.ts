import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const PROGRAMS = [
  'writers',
  'spawner',
  'proc-reader',
  'stopper',
  'vma-toggler',
  'bench-loops',
  'bench-exit',
  'reader-crowd',
  'churn',
  'renamer',
];
/** Of these an exec is measured, and the loader of shared libraries would be most of it. */
const STATIC = ['bench-exit'];

/** Those of the demonstration, with the headers that others share with them; and the others. */
const demoSources = 'src/cli/demo/load';
const FOLDERS = [demoSources, 'test/workload'];

let built: Promise<string> | undefined;

/**
 * Compiles the programs of test/workload and of the demonstration into dist/workload, each only if a source is newer.
 * @returns the directory that holds them
 * @throws if the compiler fails; its output is in the message
 */
export function buildWorkload(): Promise<string> {
  built ??= build();
  return built;
}

async function build(): Promise<string> {
  const root = packageRoot();
  const files = (await Promise.all(FOLDERS.map((folder) => filesIn(join(root, folder))))).flat();
  const binaries = join(root, 'dist/workload');
  await mkdir(binaries, { recursive: true });
  const headers = files.filter((file) => file.endsWith('.h'));
  const compileOne = (name: string): Promise<void> => {
    const source = files.find((file) => basename(file) === `${name}.c`);
    if (source === undefined) throw new Error(`${name}.c: not in ${FOLDERS.join(', ')}`);
    const options = ['-I', join(root, demoSources), ...(STATIC.includes(name) ? ['-static'] : [])];
    return compile(source, headers, join(binaries, name), options);
  };
  await Promise.all(PROGRAMS.map(compileOne));
  return binaries;
}

async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).map((file) => join(folder, file));
}

async function compile(
  source: string,
  headers: readonly string[],
  binary: string,
  options: readonly string[],
): Promise<void> {
  const newest = Math.max(...(await Promise.all([source, ...headers].map(modified))));
  if ((await modified(binary)) > newest) return;
  // Test files run side by side: one must not run what another has half written.
  const unfinished = `${binary}.${process.pid}`;
  await execa('cc', ['-O2', '-Wall', '-Wextra', '-Werror', ...options, '-pthread', '-o', unfinished, source]);
  await rename(unfinished, binary);
}

/** Milliseconds since 1970, or 0 if there is no such file. */
async function modified(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
}

/** The nearest directory above this file with the C sources: dist/ and what lies in it have none. */
function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'test/workload/spawner.c'))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error('test/workload/spawner.c: not found in any directory above');
    directory = parent;
  }
  return directory;
}
