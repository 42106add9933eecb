import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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

let built: Promise<string> | undefined;

/**
 * Compiles the programs of test/workload into dist/workload, each only if a source is newer.
 * @returns the directory that holds them
 * @throws if the compiler fails; its output is in the message
 */
export function buildWorkload(): Promise<string> {
  built ??= build();
  return built;
}

async function build(): Promise<string> {
  const root = packageRoot();
  const sources = join(root, 'test/workload');
  const binaries = join(root, 'dist/workload');
  await mkdir(binaries, { recursive: true });
  const headers = (await readdir(sources))
    .filter((file) => file.endsWith('.h'))
    .map((file) => join(sources, file));
  await Promise.all(
    PROGRAMS.map((name) =>
      compile(join(sources, `${name}.c`), headers, join(binaries, name), STATIC.includes(name)),
    ),
  );
  return binaries;
}

async function compile(
  source: string,
  headers: readonly string[],
  binary: string,
  isStatic: boolean,
): Promise<void> {
  const newest = Math.max(...(await Promise.all([source, ...headers].map(modified))));
  if ((await modified(binary)) > newest) return;
  // Test files run side by side: one must not run what another has half written.
  const unfinished = `${binary}.${process.pid}`;
  const linking = isStatic ? ['-static'] : [];
  await execa('cc', ['-O2', '-Wall', '-Wextra', '-Werror', ...linking, '-pthread', '-o', unfinished, source]);
  await rename(unfinished, binary);
}

/** Milliseconds since 1970, or 0 if there is no such file. */
async function modified(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
}

/** The nearest directory above this file with the C sources: dist/ and what lies in it have none. */
function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'test/workload/writers.c'))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error('test/workload/writers.c: not found in any directory above');
    directory = parent;
  }
  return directory;
}
