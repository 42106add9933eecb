/** The daemon as it is packaged: one file, with the Node and the flags of the package; and its memory. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot, type RunningDaemon, startDaemon } from '../../live/support/daemon.js';

const folder = mkdtempSync(path.join(tmpdir(), 'mmaplockd-light-'));

export const removePackaged = (): void => rmSync(folder, { recursive: true });

/** The Node of the package, where a package was made here; else the one at hand. */
export const node = (): { readonly program: string; readonly version: string } => {
  const { version, packages } = JSON.parse(
    readFileSync(path.join(packageRoot, 'deploy/package/node-runtime.json'), 'utf8'),
  ) as { version: string; packages: Record<string, { name: string }> };
  const { name } = packages[process.arch === 'x64' ? 'amd64' : process.arch] ?? {};
  const program = path.join(packageRoot, `dist/node-runtime/${name}-${version}/package/bin/node`);
  return existsSync(program)
    ? { program, version: `${version}, of the package` }
    : { program: process.execPath, version: `${process.versions.node}, not of the package` };
};

/** The bundle, the wrapper of the package around it, and what lies beside it. */
export const startPackaged = async (): Promise<RunningDaemon> => {
  const maker = pathToFileURL(path.join(packageRoot, 'deploy/package/bundle.mjs')).href;
  const { bundleAll } = (await import(maker)) as {
    bundleAll: () => Promise<{ program: string; page: Readonly<Record<string, string>> }>;
  };
  const bundle = await bundleAll();
  const program = path.join(folder, 'mmaplockd.mjs');
  writeFileSync(program, bundle.program);
  mkdirSync(path.join(folder, 'page'));
  for (const [name, text] of Object.entries(bundle.page))
    writeFileSync(path.join(folder, 'page', name), text);
  cpSync(path.join(packageRoot, 'bpf'), path.join(folder, 'bpf'), { recursive: true });
  const wrapper = readFileSync(path.join(packageRoot, 'deploy/debian/mmaplockd'), 'utf8').replace(
    /^exec \/usr\/lib\/mmaplockd\/node (.*)\/usr\/lib\/mmaplockd\/mmaplockd.mjs "\$@"$/m,
    `shift 2\nexec ${node().program} $1${program} "$@"`,
  );
  // What startDaemon() puts before `run`, Node and the program it would run, is shifted away.
  return startDaemon({ wrap: ['sh', '-c', wrapper, 'mmaplockd'] });
};

export const megabytes = (pid: number, field: 'VmRSS' | 'VmHWM'): number => {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return (Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024) / 1e6;
};

/** README's bound, whether idle, in a storm, or looked at. */
const mostMegabytes = 110;

/** Fails where it ever had more. */
export const assertSmall = (pid: number, when: string): void => {
  const most = megabytes(pid, 'VmHWM');
  assert.ok(most < mostMegabytes, `${most.toFixed(1)} MB resident ${when}`);
};
