/** What goes wrong on real hosts, brought about for real: each has its name, its metric and its word in /-/ready. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { setImmediate as immediate } from 'node:timers/promises';
import { execa } from 'execa';
import { killLeftovers, track } from './support/children.js';
import { lives, type Metrics, mainFile, packageRoot, runCli, startDaemon } from './support/daemon.js';
import { lacking } from './support/host.js';
import { eventually } from './support/patience.js';
import { perfCount, runWorkload } from './support/workload.js';

const skip = lacking('root', 'tracing', 'bpftrace');
const folders: string[] = [];

after(async () => {
  await killLeftovers();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const folder = async (): Promise<string> => {
  const made = await mkdtemp(path.join(tmpdir(), 'mmaplockd-test-'));
  folders.push(made);
  return made;
};

/** Runs the daemon in a mount namespace of its own, after a command there. */
const withMounts = (command: string): readonly string[] => [
  'unshare',
  '-m',
  '--propagation',
  'private',
  'sh',
  '-c',
  `${command} && exec "$@"`,
  'sh',
];

const codes = (readiness: { readonly problems: readonly { readonly code: string }[] }): string[] =>
  readiness.problems.map(({ code }) => code);

const restarts = (metrics: Metrics, reason: string): number =>
  metrics.sum('mmaplock_tracer_restarts_total', { reason }) ?? 0;

const brokenFragment = `// broken.bt  A fragment that no bpftrace takes.
//@ mode watch
//@ provides holds
//@ cost none: it never runs
tracepoint:sched:sched_process_exit
{
  @reads[pid] = no_such_function(1);
}
`;

// Each has a daemon of its own, and most of the time one of the two waits.
describe('faults', { concurrency: 2 }, () => {
  test('a fragment that bpftrace refuses is named, and the others go on', { skip }, async () => {
    const fragments = await folder();
    await cp(path.join(packageRoot, 'bpf'), fragments, { recursive: true });
    await writeFile(path.join(fragments, 'broken.bt'), brokenFragment);
    const daemon = await startDaemon({ args: ['--probes.directory', fragments] });
    const metrics = await daemon.ready();
    const { body } = await daemon.get<{ problems: { code: string; message: string }[] }>('/-/ready');
    assert.deepEqual(codes(body), ['fragment_rejected']);
    assert.match(body.problems[0]?.message ?? '', /broken\.bt:7: .*no_such_function/);
    // With plain C types, and then with all types of the kernel.
    assert.equal(restarts(metrics, 'rejected'), 2);
    assert.equal(metrics.sum('mmaplock_observable', { what: 'waits' }), 1);
    assert.equal(metrics.sum('mmaplock_observable', { what: 'holds' }), 0);
    assert.equal(await daemon.stop(), 0);
  });

  test('with nothing left to run the daemon lives on and says why', { skip }, async () => {
    const fragments = await folder();
    await writeFile(
      path.join(fragments, 'broken.bt'),
      brokenFragment.replace('provides holds', 'provides waits'),
    );
    const daemon = await startDaemon({ args: ['--probes.directory', fragments] });
    await daemon.until('both reasons', (_, { status, body }) => {
      return (
        status === 503 &&
        codes(body).includes('fragment_rejected') &&
        codes(body).includes('nothing_observable')
      );
    });
    const metrics = await daemon.metrics();
    assert.equal(metrics.sum('mmaplock_tracer_up'), 0);
    assert.equal(metrics.sum('mmaplock_waits_total'), undefined, 'what is not observed is absent, not 0');
    assert.equal(await daemon.stop(), 0);
  });

  test('bpftrace missing, and installed later', { skip }, async () => {
    const bpftrace = path.join(await folder(), 'bpftrace');
    const daemon = await startDaemon({ args: ['--bpftrace.path', bpftrace] });
    const down = await daemon.until('bpftrace_missing', (_, { status, body }) => {
      return status === 503 && codes(body).includes('bpftrace_missing');
    });
    assert.equal(down.sum('mmaplock_tracer_up'), 0);
    await daemon.until(
      'the gap grows',
      (now) =>
        (now.sum('mmaplock_blind_seconds_total', { reason: 'missing' }) ?? 0) > 1 &&
        restarts(now, 'missing') > 1,
    );
    await symlink('/usr/bin/bpftrace', bpftrace);
    const up = await daemon.ready();
    assert.equal(up.sum('mmaplock_tracer_up'), 1);
    assert.equal(await daemon.stop(), 0);
  });

  test('a stopped bpftrace: not ready by name, then started again', { skip }, async () => {
    const daemon = await startDaemon({
      args: ['--bpftrace.stall-seconds=3', '--bpftrace.stall-restart-seconds=6'],
    });
    await daemon.ready();
    const tracer = await daemon.tracerPid();
    process.kill(tracer, 'SIGSTOP');
    await daemon.until(
      'ticks_stalled',
      (_, { status, body }) => status === 503 && codes(body).includes('ticks_stalled'),
    );
    const back = await daemon.until(
      'started again',
      (now, { status }) =>
        restarts(now, 'stalled') === 1 && now.sum('mmaplock_tracer_up') === 1 && status === 200,
      40,
    );
    assert.ok((back.sum('mmaplock_blind_seconds_total', { reason: 'stalled' }) ?? 0) > 3);
    assert.equal(await lives(tracer), false, 'the stopped one is gone');
    const told = daemon.log.find(({ msg }) => msg === 'not observing');
    assert.match(JSON.stringify(told), /ticks_stalled/, 'the log names it, too');
    assert.equal(await daemon.stop(), 0);
  });

  test('damaged BTF blinds the daemon, which says so', { skip }, async () => {
    const damaged = path.join(await folder(), 'vmlinux');
    await writeFile(damaged, 'this is no BTF');
    const daemon = await startDaemon({
      wrap: withMounts(`mount --bind ${damaged} /sys/kernel/btf/vmlinux`),
    });
    await daemon.until(
      'blind',
      (_, { status, body }) => status === 503 && codes(body).includes('nothing_observable'),
    );
    const { body } = await daemon.get<{ kernel: { problems: { code: string; fix: string }[] } }>(
      '/api/v1/status',
    );
    assert.equal(body.kernel.problems[0]?.code, 'btf_malformed');
    assert.equal((await daemon.metrics()).sum('mmaplock_observable'), 0);
    assert.equal(await daemon.stop(), 0);
  });

  test('tracefs that is mounted only later is noticed', { skip }, async () => {
    const daemon = await startDaemon({
      wrap: withMounts('mount -t tmpfs none /sys/kernel/tracing'),
    });
    await daemon.until(
      'blind',
      (_, { status, body }) => status === 503 && codes(body).includes('nothing_observable'),
    );
    const { body } = await daemon.get<{ kernel: { problems: { code: string }[] } }>('/api/v1/status');
    assert.equal(body.kernel.problems[0]?.code, 'tracefs_missing');
    await execa('nsenter', ['--target', String(daemon.pid), '--mount', 'umount', '/sys/kernel/tracing']);
    await daemon.ready();
    assert.equal(await daemon.stop(), 0);
  });

  /** Resolves once a process listens; the kernel answers from then on, whatever the process does meanwhile. */
  const listens = (socket: string): Promise<true> =>
    eventually(
      `somebody listens on ${socket}`,
      () =>
        new Promise((resolve) => {
          const connection = connect(socket, () => connection.destroy(undefined) && resolve(true));
          connection.once('error', () => resolve(undefined));
        }),
    );

  test('ended before it says that it serves, it ends in order, with 0', { skip }, async () => {
    const socket = path.join(await folder(), 'socket');
    const where = ['--web.listen-address=127.0.0.1:0', `--web.unix-socket=${socket}`];
    const args = [mainFile, 'run', ...where, '--allow-second'];
    const child = execa(process.execPath, args, { reject: false, all: true });
    track(child);
    await listens(socket);
    child.kill('SIGTERM');
    const { exitCode, signal, all } = await child;
    assert.deepEqual([exitCode, signal], [0, undefined], all);
    assert.doesNotMatch(all, /error/i);
  });

  test('told to reread its settings while it starts, it does so and goes on', { skip }, async () => {
    const incidents = path.join(await folder(), 'incidents');
    const where = ['--web.listen-address=127.0.0.1:0', `--incidents.directory=${incidents}`];
    const args = [mainFile, 'run', ...where, '--allow-second', '--log.format=json'];
    const child = execa(process.execPath, args, { reject: false, all: true });
    track(child);
    // It makes the folder before it serves.
    while (!existsSync(incidents) && child.exitCode === null) await immediate();
    child.kill('SIGHUP');
    for await (const line of child.iterable({ from: 'stderr' }))
      if (line.includes('the configuration was read again')) child.kill('SIGTERM');
    const { exitCode, signal, all } = await child;
    assert.deepEqual([exitCode, signal], [0, undefined], all);
  });

  test('SIGHUP takes over a log level, names what needs a new start, and survives a bad file', {
    skip,
  }, async () => {
    const file = path.join(await folder(), 'config.yaml');
    await writeFile(file, 'log:\n  level: info\n');
    const daemon = await startDaemon({ args: ['--config.file', file] });
    const said = (pattern: RegExp): Promise<Readonly<Record<string, unknown>>> =>
      eventually(`${pattern} in the log`, () => daemon.log.find(({ msg }) => pattern.test(msg ?? '')));
    await writeFile(file, 'log:\n  level: loud\n');
    process.kill(daemon.pid, 'SIGHUP');
    assert.match(JSON.stringify(await said(/not valid/)), /invalid_config.*log\.level/);
    await writeFile(file, 'log:\n  level: warn\nmetrics:\n  process_slots: 20\n');
    process.kill(daemon.pid, 'SIGHUP');
    const read = await said(/^the configuration was read again$/);
    assert.equal(read.changed, 'log.level');
    assert.equal(read.need_a_new_start, 'metrics.process_slots');
    await daemon.ready();
    assert.equal(await daemon.stop(), 0);
  });

  test('a port in use is an error that names it', { skip }, async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const { exitCode, stderr } = await runCli([
      'run',
      '--allow-second',
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    server.close();
    assert.equal(exitCode, 1);
    assert.match(stderr, new RegExp(`port_in_use: cannot listen on 127\\.0\\.0\\.1:${port}`));
  });

  test('an unknown flag and a bad key name themselves and the nearest known', async () => {
    const flag = await runCli(['run', '--log.levle=debug']);
    assert.equal(flag.exitCode, 1);
    assert.match(flag.stderr, /unknown_flag: .*--log\.levle.*--log\.level/);

    const file = path.join(await folder(), 'config.yaml');
    await writeFile(file, 'web:\n  listen_adress: [127.0.0.1:1]\n');
    const key = await runCli(['run', '--config.file', file, '--config.check']);
    assert.equal(key.exitCode, 1);
    assert.match(key.stderr, /unknown_config_key: .*web\.listen_adress.*2.*web\.listen_address/);

    await writeFile(file, 'log:\n  level: loud\n');
    const value = await runCli(['run', '--config.file', file, '--config.check']);
    assert.equal(value.exitCode, 1);
    assert.match(value.stderr, /invalid_config: log\.level .*loud/);

    await writeFile(file, 'log:\n  level: debug\n');
    assert.equal((await runCli(['run', '--config.file', file, '--config.check'])).exitCode, 0);
  });
});

// With nothing beside it: where another daemon has the name when the first one starts, and ends, it is free again.
test('a second daemon is refused by name', { skip }, async () => {
  const daemon = await startDaemon();
  const { exitCode, stderr } = await runCli(['run', '--web.listen-address=127.0.0.1:0']);
  assert.equal(exitCode, 1);
  assert.match(stderr, /^mmaplockd: already_running: another mmaplockd runs on this host: pid \d+/);
  assert.equal(await daemon.stop(), 0);
});

// With nothing beside it: the restart waits for five ticks in which nobody waited.
test('a full map is counted, told and mended, and the bounded families lose nothing', {
  skip: skip === false ? lacking('perf') : skip,
}, async (t) => {
  const daemon = await startDaemon({ args: ['--limits.map-keys=512'] });
  await daemon.ready();
  const spawner = await runWorkload('spawner', ['--count', '700', '--distinct', '700', '--name', 'many-'], {
    gate: true,
  });
  await spawner.ready;
  const before = await daemon.settled();
  const perf = await perfCount({ pid: spawner.pid });
  spawner.release();
  const { contended } = await spawner.done;
  // perf counts every rwsem, now and then also the i_mmap_rwsem of a file; a child any call that slept.
  const truth = Math.min(contended, await perf.stop());
  // At the latest after a minute, where others on this host wait all the time.
  const full = await daemon.until('restarted with empty maps', (now) => restarts(now, 'map_full') === 1, 90);
  const overflows = full.sum('mmaplock_map_overflows_total', { map: 'process_waits' }) ?? 0;
  const counted = (full.sum('mmaplock_waits_total') ?? 0) - (before.sum('mmaplock_waits_total') ?? 0);
  t.diagnostic(JSON.stringify({ truth, counted, overflows }));
  assert.ok(overflows > 0);
  // Others on this host wait as well, so only what must be there at least can be asserted.
  assert.ok(counted >= truth, `the restart did not wait for a quiet moment: ${counted} of ${truth} counted`);
  const named = full
    .all('mmaplock_process_waits_total')
    .filter(({ labels }) => labels.process?.startsWith('many-'))
    .reduce((sum, { value }) => sum + value, 0);
  assert.ok(named < truth, 'not all names have a series');
  assert.equal(full.sum('mmaplock_process_waits_total'), full.sum('mmaplock_waits_total'));
  assert.ok((full.sum('mmaplock_process_waits_total', { process: '~other' }) ?? 0) >= overflows);
  assert.ok(full.all('mmaplock_process_waits_total').length <= 52);
  assert.equal(await daemon.stop(), 0);
});
