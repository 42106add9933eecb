/** Finds the bpftrace of this host and its version. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MmaplockError } from '../errors.js';
import { quoted } from '../text/printable.js';
import { childEnvironment, type Environment } from './environment.js';
import { runBriefly } from './process/briefly.js';

/** Where a daemon's PATH may not reach but packages install to. */
const usualFolders = ['/usr/bin', '/usr/sbin', '/usr/local/bin'];
const oldest = { major: 0, minor: 17 };
/** Half a second at most, but for a host whose disk or CPU is all taken. */
const versionTimeoutMs = 30_000;
const mostOutputBytes = 4096;

/** A bpftrace that can be used. */
export interface FoundBpftrace {
  readonly path: string;
  /** As `0.17.0`, for display; `unknown` for a build that does not know its own version. */
  readonly version: string;
}

/**
 * The path and version of the bpftrace to use: the configured path (a bare name is looked up), else the first
 * on PATH, else in the usual folders.
 *
 * @throws MmaplockError `bpftrace_missing` (says where it looked), `bpftrace_unsupported` (before 0.17).
 */
export const findBpftrace = async (options: {
  readonly path?: string;
  readonly env: Environment;
  /** In place of asking bpftrace itself, as {@link readVersion} does. */
  readonly versionOf?: (found: { readonly path: string }) => Promise<string>;
}): Promise<FoundBpftrace> => {
  const path = await locate(options.path ?? 'bpftrace', options.env);
  const version = await (options.versionOf?.({ path }) ?? readVersion([path], options.env));
  requireSupported(version, path);
  return { path, version };
};

const locate = async (name: string, env: Environment): Promise<string> => {
  if (name.includes('/')) {
    if (await isExecutable(name)) return name;
    throw new MmaplockError('bpftrace_missing', `${quoted(name)} is not an executable file`, {
      field: 'bpftrace.path',
    });
  }
  const folders = new Set([
    ...(env.PATH ?? '').split(':').filter((folder) => folder !== ''),
    ...usualFolders,
  ]);
  for (const folder of folders) {
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  throw new MmaplockError('bpftrace_missing', `no ${name} in ${[...folders].join(', ')}`, {
    field: 'bpftrace.path',
  });
};

/** Whether it is a file that this user may run. */
export const isExecutable = async (path: string): Promise<boolean> => {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
};

/**
 * What `bpftrace --version` says, as `0.17.0`; `unknown` for a build that does not know its own version.
 *
 * @param command bpftrace, with whatever it is wrapped in.
 * @param signal ends it at once
 * @throws MmaplockError `bpftrace_missing` when it cannot be executed.
 */
export const readVersion = async (
  command: readonly string[],
  env: Environment,
  signal?: AbortSignal,
): Promise<string> => {
  const { stdout, failure } = await runBriefly([...command, '--version'], {
    env: childEnvironment(env),
    timeoutMs: versionTimeoutMs,
    mostBytes: mostOutputBytes,
    signal,
  });
  const match = failure === undefined ? /^bpftrace (?:v?(\d+\.\d+(?:\.\d+)?))?/.exec(stdout) : null;
  if (match !== null) return match[1] ?? 'unknown';
  throw new MmaplockError(
    'bpftrace_missing',
    `${command.join(' ')} does not run as bpftrace: ${quoted(failure ?? stdout)}`,
    { field: 'bpftrace.path' },
  );
};

/**
 * Refuses versions whose language the program does not fit; an unknown version passes, for the canary judges it.
 *
 * @throws MmaplockError `bpftrace_unsupported`
 */
export const requireSupported = (version: string, path: string): void => {
  const [major, minor] = version.split('.').map(Number);
  if (major === undefined || minor === undefined || Number.isNaN(major)) return;
  if (major > oldest.major || minor >= oldest.minor) return;
  throw new MmaplockError('bpftrace_unsupported', `${path} is bpftrace ${version}, older than 0.17`, {
    field: 'bpftrace.path',
  });
};
