/** What a daemon opens to others, what its tracer may do and what both write, seen from outside. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execa, execaSync } from 'execa';
import { killLeftovers } from '../live/support/children.js';
import { type RunningDaemon, startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { liveThrough } from './support/whole-life.js';
import { changesIn, tracedTo } from './support/written.js';

const skip = lacking('root', 'tracing', 'bpftrace');
const has = (command: string): boolean =>
  !execaSync(command, ['-V'], { reject: false, stdio: 'ignore' }).failed;
const folders: string[] = [];

const folder = async (): Promise<string> => {
  const made = await mkdtemp(path.join(tmpdir(), 'mmaplockd-doors-'));
  folders.push(made);
  return made;
};

after(async () => {
  await killLeftovers();
  for (const made of folders.splice(0)) await rm(made, { recursive: true });
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
  // Of its own clear_refs it looks at the operations (src/kernel/own-files.ts): it is opened, and never written to.
  const harmless = ['/dev/null', '/proc/self/clear_refs'];
  // Where it marks the host as observed (src/survey/single-instance.ts).
  const isMark = (changed: string): boolean =>
    /^\/run\/mmaplockd(?:\/(?:starting-[0-9a-f]{12}|instance-\d+)\.sock)?$/.test(changed);
  const outside = changes.filter(
    ({ path: changed }) =>
      !changed.startsWith(`${state}/`) && !harmless.includes(changed) && !isMark(changed),
  );
  t.diagnostic(`${changes.length} calls that write, ${inside.length} of them below the state directory`);
  assert.deepEqual(
    outside.map(({ line }) => line),
    [],
  );
});

/** sys_admin, sys_resource, syslog, perfmon, bpf (include/uapi/linux/capability.h). */
const most = (1n << 21n) | (1n << 24n) | (1n << 34n) | (1n << 38n) | (1n << 39n);
const setpcap = 1n << 8n;

const statusOf = async (pid: number | 'self'): Promise<(name: string) => bigint> => {
  const text = await readFile(`/proc/${pid}/status`, 'latin1');
  return (name) => BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(text)?.[1]}`);
};

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

describe('a daemon and its tracer, as they run', { skip }, () => {
  let daemon: RunningDaemon;
  before(async () => {
    daemon = await startDaemon();
    await daemon.ready();
  });

  test('the tracer has five capabilities at most, and can get no others', async (t) => {
    const own = await statusOf('self');
    if ((own('CapEff') & setpcap) === 0n) return t.skip('without CAP_SETPCAP nobody can take any away');
    const tracer = await statusOf(await daemon.tracerPid());
    t.diagnostic(`CapEff ${tracer('CapEff').toString(16)}`);
    for (const set of ['CapEff', 'CapPrm', 'CapBnd', 'CapInh', 'CapAmb'])
      assert.equal(tracer(set) & ~most, 0n, `${set} ${tracer(set).toString(16)}`);
    assert.equal(tracer('NoNewPrivs'), 1n);
  });

  test('the listener that is configured is all that listens, until the daemon ends', {
    skip: !has('ss') && 'ss does not run here',
  }, async () => {
    const own = [daemon.pid, await daemon.tracerPid()];
    const found = (await listening()).filter(({ pids }) => pids.some((pid) => own.includes(pid)));
    assert.deepEqual(found, [{ address: new URL(daemon.url).host, pids: [daemon.pid] }]);
    assert.equal(await daemon.stop(), 0);
    assert.ok(!(await listening()).some(({ address }) => address === new URL(daemon.url).host));
  });
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
