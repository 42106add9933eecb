/** `record` and `support-bundle` as a person types them, beside a workload on this host. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { execa } from 'execa';
import { killLeftovers, track } from './support/children.js';
import { childrenOf, lives, mainFile, runCli, startDaemon } from './support/daemon.js';
import { lacking } from './support/host.js';
import { watchLines } from './support/lines.js';
import { ticksOf } from './support/ticks.js';
import { runWorkload } from './support/workload.js';

const skip = lacking('root', 'tracing', 'bpftrace');

after(killLeftovers);

/** Threads that contend with each other, and a reader of their smaps, from their release until they are stopped. */
const contention = async (victim: string, reader: string, ...more: readonly string[]) => {
  const time = ['--seconds', '600', ...more];
  const size = ['--threads', '2', '--vmas', '2000', '--vma-bytes', '65536'];
  const writers = await runWorkload('writers', [...size, ...time, '--name', victim], { gate: true });
  await writers.ready;
  const args = ['smaps', String(writers.pid), ...time, '--name', reader];
  const readers = await runWorkload('proc-reader', args, { gate: true });
  await readers.ready;
  return {
    release: () => {
      writers.release();
      readers.release();
    },
    stop: () => Promise.all([readers.stop(), writers.stop()]),
  };
};

/** The same on one CPU, under way: the other is left for what is tested. */
const contentionOnOneCpu = async (victim: string, reader: string) => {
  const load = await contention(victim, reader, '--pin', '0');
  load.release();
  return load;
};

/** A recording under way: what it said, its result, and a way to ask it to end. */
const startRecord = (...args: readonly string[]) => {
  const child = execa(process.execPath, [mainFile, 'record', ...args], { reject: false });
  track(child);
  const said = watchLines(child.stderr, 'record');
  return { pid: child.pid as number, said, result: child, end: () => child.kill('SIGINT') };
};

/** Sockets of TCP on which a process listens (state 0A in /proc/net/tcp, include/net/tcp_states.h). */
const listenersOf = async (pid: number): Promise<string[]> => {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8').catch(() => '')),
  );
  const listening = new Set(
    tables
      .flatMap((table) => table.split('\n').map((line) => line.trim().split(/\s+/)))
      .filter((fields) => fields[3] === '0A')
      .map((fields) => `socket:[${fields[9]}]`),
  );
  const folder = `/proc/${pid}/fd`;
  const links = await Promise.all(
    (await readdir(folder)).map((fd) => readlink(path.join(folder, fd)).catch(() => '')),
  );
  return links.filter((link) => listening.has(link));
};

interface Row {
  readonly [member: string]: unknown;
}

interface RecordJson {
  readonly v: number;
  readonly started_at: string;
  readonly ended_at: string;
  readonly observed_seconds: number;
  readonly gaps: readonly unknown[];
  readonly host: { readonly kernel: { readonly release: string }; readonly lock_paths: readonly unknown[] };
  readonly waits: { readonly data: readonly Row[] };
  readonly processes: { readonly data: readonly Row[] };
  readonly readers: { readonly data: readonly Row[] } | null;
  readonly blocks: { readonly data: readonly Row[] } | null;
}

test('record --json: who waited, who read and who blocked whom, and it listens nowhere', {
  skip,
}, async (t) => {
  const load = await contention('rec-writers', 'rec-reader');
  const recording = startRecord('--for', '3s', '--json');
  await recording.said.match(/recording for 3 s/);
  load.release();
  assert.deepEqual(await listenersOf(recording.pid), []);
  const tracers = await childrenOf(recording.pid);
  assert.equal(tracers.length, 1);
  const { exitCode, stdout, stderr } = await recording.result;
  assert.equal(exitCode, 0, stderr);
  for (const pid of tracers) assert.equal(await lives(pid), false, 'no tracer is left');
  await load.stop();

  const json = JSON.parse(stdout) as RecordJson;
  t.diagnostic(JSON.stringify({ observed: json.observed_seconds, blocks: json.blocks?.data }));
  assert.equal(json.v, 1);
  assert.deepEqual(json.gaps, []);
  // From the first tick to the last, of which each comes within its second.
  const lasted = (Date.parse(json.ended_at) - Date.parse(json.started_at)) / 1000;
  assert.ok(
    json.observed_seconds > 2 && json.observed_seconds <= lasted + 0.01,
    `${json.observed_seconds} s of ${lasted} s`,
  );
  assert.equal(json.host.kernel.release, (await execa('uname', ['-r'])).stdout);
  assert.ok(json.host.lock_paths.length > 0);
  const writers = json.processes.data.find(({ process }) => process === 'rec-writers');
  assert.ok(Number(writers?.write_waits_total) > 100);
  const ofReader = ({ reader, file }: Row): boolean => reader === 'rec-reader' && file === 'smaps';
  assert.ok(Number(json.readers?.data.find(ofReader)?.reads_total) > 100);
  const block = json.blocks?.data.find((row) => ofReader(row) && row.victim === 'rec-writers');
  assert.ok(Number(block?.block_seconds_total) > 0);
  assert.ok(Number(block?.block_seconds_total) <= sumOf(json.waits.data, 'wait_seconds_total') + 1e-6);
});

const sumOf = (rows: readonly Row[], member: string): number =>
  rows.reduce((sum, row) => sum + Number(row[member]), 0);

test('record ends early and in order at a signal: it tells what it has, and leaves no tracer', {
  skip,
}, async () => {
  const load = await contention('rec-early', 'rec-reader');
  const recording = startRecord('--for', '1h');
  await recording.said.match(/recording for 3600 s/);
  load.release();
  const tracers = await childrenOf(recording.pid);
  const [tracer] = tracers as [number];
  await ticksOf(tracer, 3);
  recording.end();
  const { exitCode, stdout } = await recording.result;
  await load.stop();
  assert.equal(exitCode, 130);
  assert.match(stdout, /^Observed for \d+\.\d s on Linux \S+: /);
  assert.match(stdout, /^ {2}rec-early {2,}/m);
  assert.equal(tracers.length, 1);
  for (const pid of tracers) assert.equal(await lives(pid), false);
});

interface Bundle {
  readonly check: { readonly verdict: string };
  readonly bpftrace_stderr: readonly string[];
  readonly daemon: {
    readonly status: {
      readonly ready: boolean;
      readonly tracer: { readonly dialect: Row; readonly bpftrace: Row };
    };
    readonly program: string;
    readonly ticks: readonly unknown[];
    readonly recording: RecordJson;
    readonly metrics: string;
  };
}

// Each is a process of its own, and most of the time one of the two waits.
describe('one beside another', { concurrency: 2 }, () => {
  test('record runs beside a daemon, and says so', { skip }, async () => {
    const daemon = await startDaemon();
    await daemon.ready();
    const { exitCode, stdout, stderr } = await runCli(['record', '--for', '1s']);
    assert.equal(exitCode, 0, stderr);
    assert.match(
      stderr,
      /^mmaplockd: another mmaplockd runs on this host \(.+\); this one records beside it$/m,
    );
    assert.match(stdout, /^Observed for /);
    assert.equal((await daemon.metrics()).sum('mmaplock_tracer_up'), 1, 'the daemon goes on');
    assert.equal(await daemon.stop(), 0);
  });

  test('record: exit 1 where nothing can be observed, with the code of the reason', { skip }, async () => {
    const { exitCode, stdout, stderr } = await runCli([
      'record',
      '--json',
      '--bpftrace.path=/nonexistent/bpftrace',
    ]);
    assert.equal(exitCode, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^mmaplockd: bpftrace_missing: /m);
  });

  test('support-bundle: one file for its owner alone, with what was seen and why not more', {
    skip,
  }, async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'mmaplockd-test-'));
    try {
      const file = path.join(directory, 'bundle.json');
      const load = await contentionOnOneCpu('bundle-writers', 'bundle-reader');
      const { exitCode, stdout, stderr } = await runCli(['support-bundle', '--for', '3s', '--file', file]);
      await load.stop();
      assert.equal(exitCode, 0, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, /holds names of processes.*--anonymous/);
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      const { check, daemon } = JSON.parse(await readFile(file, 'utf8')) as Bundle;
      assert.ok(['full', 'partial'].includes(check.verdict));
      assert.equal(daemon.status.ready, true);
      assert.ok(daemon.status.tracer.dialect !== null && daemon.status.tracer.bpftrace !== null);
      assert.match(daemon.program, /^interval:s:1$/m);
      assert.ok(daemon.ticks.length >= 2, `${daemon.ticks.length} ticks`);
      assert.ok(daemon.recording.observed_seconds >= 2);
      assert.match(
        daemon.metrics,
        /^mmaplock_process_waits_total\{process="bundle-writers",mode="write"\} /m,
      );

      const again = await runCli(['support-bundle', '--file', file]);
      assert.equal(again.exitCode, 1);
      assert.match(again.stderr, /^mmaplockd: file_exists: /m);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('support-bundle --anonymous: no name of a process is in it', { skip }, async () => {
    const load = await contentionOnOneCpu('zz-writers', 'zz-reader');
    const { exitCode, stdout, stderr } = await runCli([
      ...['support-bundle', '--anonymous'],
      ...['--for', '3s', '--file', '-'],
    ]);
    await load.stop();
    assert.equal(exitCode, 0, stderr);
    const { daemon } = JSON.parse(stdout) as Bundle;
    assert.ok(daemon.recording.processes.data.length > 0);
    assert.doesNotMatch(stdout, /zz-writers|zz-reader/);
    assert.match(daemon.metrics, /^mmaplock_process_waits_total\{process="p-[0-9a-f]{8}",mode="write"\} /m);
  });
});
