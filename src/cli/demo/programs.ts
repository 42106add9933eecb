/** The programs of the demonstration: compiled for one run of it, and removed afterwards. */
import { constants, existsSync } from 'node:fs';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Environment } from '../../bpftrace/environment.js';
import { isExecutable } from '../../bpftrace/find.js';
import { runBriefly } from '../../bpftrace/process/briefly.js';
import { MmaplockError, messageOf } from '../../errors.js';
import { packageRoot } from '../../package-root.js';

/** In a package beside the program. */
const beside = path.join(packageRoot, 'demo');
const sources = existsSync(beside) ? beside : path.join(packageRoot, 'src/cli/demo/load');

/** A second at most, but for a host whose disk or CPU is all taken. */
const compileTimeoutMs = 60_000;
const mostOutputBytes = 65_536;

/** Paths of the compiled programs. */
export interface Programs {
  readonly writers: string;
  readonly procReader: string;
}

/**
 * Compiles the programs into a folder of their own, which only this user may enter and which is gone once `use` has ended.
 * @param ending ends the compiler; the programs may lack then
 * @throws MmaplockError `workload_missing` where there are no sources, or no place for programs; `compiler_missing`
 */
export const withPrograms = async <Result>(
  { env, ending }: { readonly env: Environment; readonly ending: AbortSignal },
  use: (programs: Programs) => Promise<Result>,
): Promise<Result> => {
  const [writers, procReader] = [sourceOf('writers'), sourceOf('proc-reader')];
  const compiler = await findCompiler(env);
  const folder = await privateFolder();
  try {
    const compiled = (source: string): Promise<string> => compile(compiler, source, { folder, env, ending });
    return await use({ writers: await compiled(writers), procReader: await compiled(procReader) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const sourceOf = (name: string): string => {
  const source = path.join(sources, `${name}.c`);
  if (existsSync(source)) return source;
  throw new MmaplockError('workload_missing', `the demonstration's load is not here: ${source}`);
};

/** The folders of PATH but for those that depend on the directory at hand, which may be anybody's. */
const absoluteFolders = (env: Environment): string[] =>
  (env.PATH ?? '').split(':').filter((folder) => path.isAbsolute(folder));

const findCompiler = async (env: Environment): Promise<string> => {
  const folders = absoluteFolders(env);
  for (const name of ['cc', 'gcc'])
    for (const folder of folders) {
      const file = path.join(folder, name);
      if (await isExecutable(file)) return file;
    }
  throw new MmaplockError(
    'compiler_missing',
    `the demonstration compiles its load, and there is no C compiler (cc or gcc) in ${folders.join(', ') || 'PATH'}`,
  );
};

const elsewhere = {
  fix: 'Name a directory that may be written to and run programs from: `TMPDIR=DIRECTORY mmaplockd demo`.',
};

const privateFolder = async (): Promise<string> => {
  try {
    return await mkdtemp(path.join(path.resolve(tmpdir()), 'mmaplockd-demo-'));
  } catch (error) {
    throw new MmaplockError(
      'workload_missing',
      `no place for the programs of the demonstration: ${messageOf(error)}`,
      elsewhere,
    );
  }
};

interface CompileOptions {
  readonly folder: string;
  readonly env: Environment;
  readonly ending: AbortSignal;
}

const compile = async (
  compiler: string,
  source: string,
  { folder, env, ending }: CompileOptions,
): Promise<string> => {
  const target = path.join(folder, path.basename(source, '.c'));
  // What it looks for in the directory at hand, and what it leaves behind where it is killed, is in the folder, too.
  const { failure } = await runBriefly([compiler, '-O2', '-pthread', '-o', target, source], {
    cwd: folder,
    env: { ...env, PATH: absoluteFolders(env).join(':'), TMPDIR: folder },
    timeoutMs: compileTimeoutMs,
    mostBytes: mostOutputBytes,
    signal: ending,
  });
  if (ending.aborted) return target;
  if (failure !== undefined) throw new MmaplockError('compiler_missing', `${compiler} failed: ${failure}`);
  // Many a /tmp is mounted noexec.
  await access(target, constants.X_OK).catch((error: unknown) => {
    throw new MmaplockError(
      'workload_missing',
      `programs cannot be run from ${path.dirname(folder)}: ${messageOf(error)}`,
      elsewhere,
    );
  });
  return target;
};
