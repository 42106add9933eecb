/** What the daemon itself takes, as it is packaged: memory from its start on, and CPU time idle and in a storm. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { killLeftovers } from '../live/support/children.js';
import { packageRoot, type RunningDaemon, startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { runWorkload } from '../live/support/workload.js';

const skip = lacking('root', 'tracing', 'bpftrace');

/** The limits, of one core in percent and in MB. */
const limits = { idle: 0.5, storm: 2, megabytes: 110 };
/** V8 compiles what runs often in the first of these, and it is no longer idle work after that. */
const settleSeconds = 20;
const watchedSeconds = 30;
/** USER_HZ. */
const ticksPerSecond = 100;

const folder = mkdtempSync(path.join(tmpdir(), 'mmaplockd-light-'));
after(() => rmSync(folder, { recursive: true }));
afterEach(killLeftovers);

/** The Node of the package, where a package was made here; else the one at hand. */
const node = (): { readonly program: string; readonly version: string } => {
  const { version, packages } = JSON.parse(
    readFileSync(path.join(packageRoot, 'deploy/package/node-runtime.json'), 'utf8'),
  ) as { version: string; packages: Record<string, { name: string }> };
  const { name } = packages[process.arch === 'x64' ? 'amd64' : process.arch] ?? {};
  const program = path.join(packageRoot, `dist/node-runtime/${name}-${version}/package/bin/node`);
  return existsSync(program)
    ? { program, version: `${version}, of the package` }
    : { program: process.execPath, version: `${process.versions.node}, not of the package` };
};

/** The bundle, and the wrapper of the package around it. */
const startPackaged = async (): Promise<RunningDaemon> => {
  const maker = pathToFileURL(path.join(packageRoot, 'deploy/package/bundle.mjs')).href;
  const { bundleDaemon } = (await import(maker)) as { bundleDaemon: () => Promise<{ text: string }> };
  const program = path.join(folder, 'mmaplockd.mjs');
  writeFileSync(program, (await bundleDaemon()).text);
  cpSync(path.join(packageRoot, 'bpf'), path.join(folder, 'bpf'), { recursive: true });
  const wrapper = readFileSync(path.join(packageRoot, 'deploy/debian/mmaplockd'), 'utf8').replace(
    /^exec \/usr\/lib\/mmaplockd\/node (.*)\/usr\/lib\/mmaplockd\/mmaplockd.mjs "\$@"$/m,
    `shift 2\nexec ${node().program} $1${program} "$@"`,
  );
  // What startDaemon() puts before `run`, Node and the program it would run, is shifted away.
  return startDaemon({ wrap: ['sh', '-c', wrapper, 'mmaplockd'] });
};

const megabytes = (pid: number, field: 'VmRSS' | 'VmHWM'): number => {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return (Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024) / 1e6;
};

const cpuSeconds = (pid: number): number => {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(/\) (?=[A-Z] )/);
  const fields = rest.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
};

/** Percent of one core, of the daemon and of bpftrace, which is told beside it. */
const watch = async (
  context: TestContext,
  { pid, tracerPid }: RunningDaemon,
  what: string,
): Promise<number> => {
  const tracer = await tracerPid();
  const [from, own, other] = [performance.now(), cpuSeconds(pid), cpuSeconds(tracer)];
  await sleep(watchedSeconds * 1000);
  const seconds = (performance.now() - from) / 1000;
  const percent = ((cpuSeconds(pid) - own) / seconds) * 100;
  context.diagnostic(
    `${what}: Node (${node().version}) ${percent.toFixed(2)} % of a core, ${megabytes(pid, 'VmRSS').toFixed(0)} MB ` +
      `resident (at most ${megabytes(pid, 'VmHWM').toFixed(0)} MB so far); bpftrace ` +
      `${(((cpuSeconds(tracer) - other) / seconds) * 100).toFixed(2)} %, ${megabytes(tracer, 'VmRSS').toFixed(0)} MB`,
  );
  return percent;
};

const assertSmall = (pid: number, when: string): void => {
  const most = megabytes(pid, 'VmHWM');
  assert.ok(most < limits.megabytes, `${most.toFixed(1)} MB resident ${when}`);
};

test('as packaged it stays under 110 MB, 0.5 % of a core idle and 2 % in a storm', {
  skip,
}, async (context) => {
  const daemon = await startPackaged();
  await daemon.ready();
  assertSmall(daemon.pid, 'at its start');
  await sleep(settleSeconds * 1000);

  const idle = await watch(context, daemon, 'idle');

  const writers = await runWorkload('writers', ['--seconds', '120', '--threads', '2']);
  await writers.ready;
  const reader = await runWorkload('proc-reader', ['smaps', String(writers.pid), '--seconds', '120']);
  await sleep(5000);
  const before = (await daemon.metrics()).sum('mmaplock_waits_total')!;
  const storm = await watch(context, daemon, 'in a storm');
  const waits = (await daemon.settled()).sum('mmaplock_waits_total')! - before;
  assert.ok(waits > 100 * watchedSeconds, `a storm of ${waits} waits in ${watchedSeconds} s`);
  await reader.stop();
  await writers.stop();

  assertSmall(daemon.pid, 'after a storm');
  assert.ok(idle < limits.idle, `idle: ${idle.toFixed(2)} % of a core`);
  assert.ok(storm < limits.storm, `in a storm: ${storm.toFixed(2)} % of a core`);
  await daemon.stop();
});
