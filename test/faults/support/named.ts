/** Programs of test/workload under names that no argument could carry: each is started from a file that is called so. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { buildWorkload } from '../../live/support/build.js';
import { track } from '../../live/support/children.js';
import { watchLines } from '../../live/support/lines.js';

export interface Named {
  readonly pid: number;
  /** What it counted, once it has ended. */
  readonly done: Promise<Readonly<Record<string, unknown>>>;
  /** Ends it early (SIGTERM). */
  stop(): Promise<void>;
}

/**
 * Starts one; resolves once it is ready.
 * @param name bytes of a file name; the kernel takes the first 15 as the name of the process (begin_new_exec())
 * @param cgroup a directory of cgroup2 it is put into first
 */
export const startNamed = async (
  program: 'writers' | 'proc-reader',
  name: Buffer,
  args: readonly string[],
  cgroup?: string,
): Promise<Named> => {
  const folder = await mkdtemp(join(tmpdir(), 'mmaplockd-named-'));
  const file = Buffer.concat([Buffer.from(`${folder}/`), name]);
  await copyFile(join(await buildWorkload(), program), file);
  // Node writes arguments as UTF-8. The shell finds the one file of the folder, whatever its bytes.
  const script =
    'folder=$1 cgroup=$2; shift 2; [ -z "$cgroup" ] || echo $$ >"$cgroup/cgroup.procs"; exec "$folder"/* "$@"';
  const child = execa('sh', ['-c', script, 'sh', folder, cgroup ?? '', ...args], {
    stdin: 'ignore',
    reject: false,
    forceKillAfterDelay: 5000,
  });
  track(child);
  const said = watchLines(child.stderr, program);
  const done = child.then(async ({ stdout, exitCode, stderr }) => {
    await rm(folder, { recursive: true, force: true });
    if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}: ${stderr}`);
    return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
  });
  done.catch(() => {});
  const [, pid] = await said.match(/^ready (\d+)$/);
  return {
    pid: Number(pid),
    done,
    stop: async () => {
      child.kill('SIGTERM');
      await done;
    },
  };
};
