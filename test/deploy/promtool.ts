/** promtool, as the bootstrap puts it into dist/tools, or from PATH. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { packageRoot } from '../../src/package-root.js';

/** Why a test that needs it cannot run, where it is not there. */
export const noPromtool = 'promtool is neither in dist/tools nor on PATH';

/** Its path; undefined where there is none. */
export const findPromtool = (): string | undefined => {
  const own = join(packageRoot, 'dist/tools/promtool');
  if (existsSync(own)) return own;
  return spawnSync('promtool', ['--version']).status === 0 ? 'promtool' : undefined;
};

export interface Said {
  readonly status: number | null;
  readonly said: string;
}

/** Runs it to its end. Several may run at once. */
export const runPromtool = async (path: string, args: readonly string[]): Promise<Said> => {
  const child: ChildProcess = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [[status], out, problems] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    text(child.stdout!),
    text(child.stderr!),
  ]);
  return { status, said: `${out}${problems}` };
};
