/** What a daemon opens to others and what it writes, seen from outside while it lives through all that it can. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import { execa, execaSync } from 'execa';
import { killLeftovers } from '../live/support/children.js';
import { type RunningDaemon, startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { runWorkload } from '../live/support/workload.js';
import { changesIn, tracedTo, writingOnlyTo } from './support/written.js';

const skip = lacking('root', 'tracing', 'bpftrace');
const has = (command: string): boolean =>
  !execaSync(command, ['-V'], { reject: false, stdio: 'ignore' }).failed;
const folders: string[] = [];

const folder = async (): Promise<string> => {
  const made = await mkdtemp(path.join(tmpdir(), 'mmaplockd-doors-'));
  folders.push(made);
  return made;
};

afterEach(async () => {
  await killLeftovers();
  for (const made of folders.splice(0)) await rm(made, { recursive: true });
});

/** A writer that a reader of smaps makes wait, long enough for an incident of 1 ms. */
const makeIncidents = async (daemon: RunningDaemon): Promise<void> => {
  const writers = await runWorkload('writers', ['--vmas', '2000', '--seconds', '60', '--name', 'wr-doors']);
  await writers.ready;
  const reader = await runWorkload('proc-reader', ['smaps', String(writers.pid), '--seconds', '60']);
  await daemon.until('an incident', (metrics) => (metrics.sum('mmaplock_incidents_total') ?? 0) > 0, 40);
  await reader.stop();
  await writers.stop();
};

/** Everything a daemon may do to files, from its start to its end: incidents, a reload, a tracer that was killed, the socket. */
const liveThrough = async (state: string, wrap: readonly string[]): Promise<RunningDaemon> => {
  const args = [
    `--incidents.directory=${path.join(state, 'incidents')}`,
    '--incidents.wait-ms=1',
    '--incidents.quiet-seconds=1',
    `--web.unix-socket=${path.join(state, 'socket')}`,
  ];
  const daemon = await startDaemon({ args, wrap });
  await daemon.ready(60);
  await makeIncidents(daemon);
  process.kill(daemon.pid, 'SIGHUP');
  const killed = await daemon.tracerPid();
  process.kill(killed, 'SIGKILL');
  const isBack = (restarts: number | undefined, up: number | undefined): boolean =>
    (restarts ?? 0) > 0 && up === 1;
  await daemon.until(
    'another tracer',
    (metrics, { status }) =>
      status === 200 &&
      isBack(metrics.sum('mmaplock_tracer_restarts_total'), metrics.sum('mmaplock_tracer_up')),
    60,
  );
  await daemon.settled();
  assert.ok(existsSync(path.join(state, 'socket')), 'the socket is there');
  assert.equal(await daemon.stop(), 0);
  assert.ok((await readdir(path.join(state, 'incidents'))).length > 0, 'incidents were kept');
  assert.ok(!existsSync(path.join(state, 'socket')), 'the socket is gone');
  return daemon;
};

test('it works where it can write to its state directory alone', { skip }, async () => {
  const state = await folder();
  const { log } = await liveThrough(state, writingOnlyTo(state));
  assert.doesNotMatch(JSON.stringify(log), /EROFS|[Rr]ead-only/);
});

test('neither it nor a tracer tries to write elsewhere', {
  skip: skip || (!has('strace') && 'strace does not run here'),
}, async (t) => {
  const state = await folder();
  const file = path.join(await folder(), 'calls');
  await liveThrough(state, tracedTo(file));
  const changes = changesIn(file);
  const inside = changes.filter(({ path: changed }) => changed.startsWith(`${state}/`));
  assert.ok(
    inside.some(({ path: changed }) => changed.includes('/incidents/')),
    'the witness saw incidents',
  );
  assert.ok(
    inside.some(({ path: changed }) => changed.endsWith('/socket')),
    'and the socket',
  );
  const outside = changes.filter(
    ({ path: changed }) => !changed.startsWith(`${state}/`) && changed !== '/dev/null',
  );
  t.diagnostic(`${changes.length} calls that write, ${inside.length} of them below the state directory`);
  assert.deepEqual(
    outside.map(({ line }) => line),
    [],
  );
});

/** A socket that waits for others: its address, and the processes that hold it. */
const listening = async (): Promise<{ address: string; pids: number[] }[]> => {
  const { stdout } = await execa('ss', [
    '--no-header',
    '--numeric',
    '--listening',
    '--tcp',
    '--udp',
    '--processes',
  ]);
  return stdout.split('\n').map((line) => ({
    address: line.trim().split(/\s+/)[4] ?? '',
    pids: Array.from(line.matchAll(/pid=(\d+)/g), ([, pid]) => Number(pid)),
  }));
};

test('of daemon and tracer, the listener that is configured is all that listens', {
  skip: skip || (!has('ss') && 'ss does not run here'),
}, async () => {
  const daemon = await startDaemon();
  await daemon.ready();
  const own = [daemon.pid, await daemon.tracerPid()];
  const found = (await listening()).filter(({ pids }) => pids.some((pid) => own.includes(pid)));
  assert.deepEqual(found, [{ address: new URL(daemon.url).host, pids: [daemon.pid] }]);
  assert.equal(await daemon.stop(), 0);
  assert.ok(!(await listening()).some(({ address }) => address === new URL(daemon.url).host));
});

test('the file of --web.config.file is read again while the daemon runs; a broken one changes nothing', {
  skip,
}, async () => {
  const directory = await folder();
  await mkdir(path.join(directory, 'new'));
  const file = path.join(directory, 'web.yaml');
  const put = async (text: string): Promise<void> => {
    await writeFile(path.join(directory, 'new', 'web.yaml'), text);
    await rename(path.join(directory, 'new', 'web.yaml'), file);
  };
  const headers = (value: string) => `http_server_config: {headers: {X-Frame-Options: ${value}}}\n`;
  await put(headers('sameorigin'));
  // No tracer: nothing here is about one.
  const daemon = await startDaemon({ args: [`--web.config.file=${file}`, '--probes.allow=none'] });
  const frames = async () => (await fetch(`${daemon.url}/-/healthy`)).headers.get('x-frame-options');
  const said = () => daemon.log.filter(({ msg }) => /web configuration/.test(msg ?? ''));
  assert.equal(await frames(), 'sameorigin');
  await put(headers('allow'));
  assert.equal(await frames(), 'sameorigin');
  assert.equal(await frames(), 'sameorigin');
  await put(headers('deny'));
  assert.equal(await frames(), 'deny');
  // htpasswd -nbB -C 4 prometheus 'correct horse'
  await put('basic_auth_users: {prometheus: $2b$04$H6Ob41qMHgS39EdOy5oxp.0W1LccJhznPAqGrOXgIG21D0vtS.bTe}\n');
  assert.equal((await fetch(`${daemon.url}/metrics`)).status, 401);
  const authorization = `Basic ${Buffer.from('prometheus:correct horse').toString('base64')}`;
  assert.equal((await fetch(`${daemon.url}/metrics`, { headers: { authorization } })).status, 200);
  assert.equal(await daemon.stop(), 0);
  const problem = said()[0] as { err?: { code?: string; field?: string } } | undefined;
  assert.deepEqual(
    [problem?.err?.code, problem?.err?.field],
    ['invalid_config', 'http_server_config.headers.X-Frame-Options'],
  );
  assert.equal(said().length, 3, 'one line for each change');
});
