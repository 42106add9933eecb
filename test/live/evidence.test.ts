/** Incidents and their evidence: held against what the writer measured of itself, and against real holds. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { execa } from 'execa';
import { killLeftovers, track } from './support/children.js';
import { type RunningDaemon, startDaemon } from './support/daemon.js';
import { lacking } from './support/host.js';
import { inspectShares, writerAndReaders } from './support/inspect.js';
import { runWorkload } from './support/workload.js';

const skip = lacking('root', 'tracing', 'bpftrace');

const directory = mkdtempSync(path.join(tmpdir(), 'mmaplockd-evidence-'));
after(killLeftovers);
after(() => rmSync(directory, { recursive: true }));

interface Reader {
  readonly name: string;
  readonly pid: string | null;
  readonly file: string;
  readonly share_seconds: number;
  readonly nice: number | null;
  readonly off_cpu_seconds: number | null;
}

interface Incident {
  readonly id: string;
  readonly state: 'open' | 'closed';
  readonly sentence: string;
  readonly advice: readonly string[];
  readonly evidence: string;
  readonly victim: { readonly name: string; readonly pid: string | null };
  readonly file: string | null;
  readonly lock_path: string | null;
  readonly readers: readonly Reader[];
  /** Of the waits told one by one. */
  readonly wait_seconds_total: number;
  readonly longest_wait_seconds: number;
  readonly convoy_waits_total: number;
}

const incidentsOf = async (daemon: RunningDaemon, victim = ''): Promise<readonly Incident[]> => {
  const { body } = await daemon.get<{ data: readonly Incident[] }>(
    `/api/v1/incidents${victim === '' ? '' : `?victim=${victim}`}`,
  );
  return body.data;
};

const started = async (...args: readonly string[]): Promise<RunningDaemon> => {
  const daemon = await startDaemon({ args });
  await daemon.ready();
  return daemon;
};

/** A process of the idle kind that never gives up a CPU. */
const busyLoop = (cpu: number) => {
  const child = execa('taskset', ['-c', String(cpu), 'sh', '-c', 'while :; do :; done'], { reject: false });
  track(child);
  return child;
};

/** Mappings so large that a reader of smaps holds the lock for some 50 us at a time: see blocks.test.ts. */
const large = ['--vmas', '600', '--vma-bytes', '524288'];
const single = ['--threads', '1', ...large, '--pin', '0'];

const starve = async (t: TestContext, kept: string) => {
  const daemon = await started(`--incidents.directory=${kept}`);
  const writers = await runWorkload(
    'writers',
    [...single, '--seconds', '9', '--fault-gap-us', '1000', '--name', 'wr-starved'],
    { gate: true },
  );
  await writers.ready;
  writers.release();
  const busy = busyLoop(1);
  const reader = await runWorkload('proc-reader', [
    'smaps',
    String(writers.pid),
    '--name',
    'by-starved',
    '--pin',
    '1',
    '--nice',
    '19',
    '--seconds',
    '6',
  ]);
  await reader.done;
  busy.kill('SIGKILL');
  const result = await writers.done;
  const metrics = await daemon.settled();
  const incidents = await incidentsOf(daemon, 'wr-starved');
  const convoys = metrics.sum('mmaplock_convoy_waits_total') ?? 0;
  const ops = (['mmap', 'munmap', 'mprotect'] as const).map((op) => result.ops[op].max_ns / 1e9);
  t.diagnostic(JSON.stringify({ incidents, worst: Math.max(...ops), convoys, fault: result.ops.fault }));
  return { daemon, incidents, metrics, worst: Math.max(...ops), fault: result.ops.fault, reader, writers };
};

test('a starved reader that holds the lock makes one incident, with who, whom, how long, and what queued', {
  skip,
}, async (t) => {
  const kept = path.join(directory, 'starved');
  const { daemon, incidents, metrics, worst, fault, reader, writers } = await starve(t, kept);
  assert.equal(incidents.length, 1, 'one incident');
  const [incident] = incidents as [Incident];
  assert.equal(incident.victim.pid, String(writers.pid));
  assert.deepEqual(
    incident.readers.map(({ name, pid, file, nice }) => ({ name, pid, file, nice })),
    [{ name: 'by-starved', pid: String(reader.pid), file: 'smaps', nice: 19 }],
  );
  assert.equal(incident.lock_path, 'mmap_lock');
  assert.ok(worst > 0.05, `the machine is too fast to starve anybody: ${worst} s at worst`);
  const longest = incident.longest_wait_seconds;
  assert.ok(Math.abs(longest / worst - 1) <= 0.1, `${longest} s told, ${worst} s by the writer's own clock`);
  // Its time without a CPU is that of the waits told one by one.
  const { off_cpu_seconds: offCpu } = incident.readers[0] as Reader;
  const told = incident.wait_seconds_total;
  assert.ok(
    offCpu !== null && offCpu > 0.5 * told && offCpu <= told,
    `${offCpu} s without a CPU of ${told} s`,
  );
  assert.ok(incident.convoy_waits_total > 0, 'page faults queued behind the blocked writer');
  const convoys = metrics.sum('mmaplock_convoy_waits_total') as number;
  const faults = metrics.sum('mmaplock_waits_total', { mode: 'read', operation: 'page_fault' }) as number;
  assert.ok(incident.convoy_waits_total <= convoys && convoys <= faults, `${convoys} of ${faults} faults`);
  assert.ok(convoys > 0.3 * fault.over_1ms, `${convoys} convoys, ${fault.over_1ms} faults of over 1 ms`);
  assert.match(
    incident.sentence,
    /`by-starved` read smaps of `wr-starved` and (?:blocked|has blocked) its .*without a CPU.*nice 19.*page faults? queued/,
  );
  assert.ok(
    incident.advice.some((line) => /priority|quota/.test(line)),
    incident.advice.join(' '),
  );
  assert.equal(await daemon.stop(), 0);

  // What was kept is there after a restart, also when the last line was cut off.
  const [file] = readdirSync(kept);
  appendFileSync(path.join(kept, file!), '{"v":1,"id":"0000000000001-0000');
  const again = await started(`--incidents.directory=${kept}`);
  const [restored, ...others] = await incidentsOf(again);
  assert.deepEqual([restored?.id, restored?.state, others.length], [incident.id, 'closed', 0]);
  assert.deepEqual(
    restored?.readers.map(({ name, nice }) => [name, nice]),
    [['by-starved', 19]],
  );
  assert.ok(
    again.log.some(({ level, msg }) => level === 'warn' && /incident/.test(String(msg))),
    'the lost line is told',
  );
  assert.equal(await again.stop(), 0);
});

/** Incidents that blame a reader, by the API and by the metric. */
const blamed = async (daemon: RunningDaemon): Promise<number> => {
  const metrics = await daemon.settled();
  const byFile = metrics
    .all('mmaplock_incidents_total')
    .filter(({ labels }) => labels.file !== 'none')
    .reduce((sum, { value }) => sum + value, 0);
  const incidents = await incidentsOf(daemon);
  return byFile + incidents.filter(({ readers }) => readers.length > 0).length;
};

test('no incident blames a reader where there is none that blocks', { skip }, async (t) => {
  const daemon = await started('--incidents.wait-ms=5');

  await t.test('heavy writers without readers', async () => {
    const writers = await runWorkload('writers', ['--threads', '8', '--seconds', '6', '--name', 'wr-heavy']);
    await writers.done;
    assert.equal(await blamed(daemon), 0);
    assert.ok((await incidentsOf(daemon, 'wr-heavy')).length > 0, 'they do wait for each other');
  });

  await t.test('a reader of an idle process', async () => {
    const idle = execa('sleep', ['60'], { reject: false });
    track(idle);
    for (const file of ['smaps', 'maps']) {
      const reader = await runWorkload('proc-reader', [file, String(idle.pid), '--seconds', '3']);
      await reader.done;
    }
    idle.kill('SIGKILL');
    assert.equal(await blamed(daemon), 0);
  });

  await t.test('storms of fork and exec', async () => {
    const spawner = await runWorkload('spawner', ['--count', '1500', '--parallel', '8', '--name', 'storm']);
    const execs = execa('sh', ['-c', 'i=0; while [ $i -lt 1500 ]; do /bin/true; i=$((i+1)); done']);
    track(execs);
    await Promise.all([spawner.done, execs]);
    assert.equal(await blamed(daemon), 0);
  });

  assert.equal(await daemon.stop(), 0);
});

test('two readers of one target: their shares are those of the real holds that inspect mode sees', {
  skip,
}, async (t) => {
  const token = 'the-token-of-the-live-tests';
  const tokenFile = path.join(directory, 'token');
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  const daemon = await started('--inspect.api=on', `--inspect.token-file=${tokenFile}`);
  const victim = await writerAndReaders('wr-inspected', ['--threads', '1', ...large], 60);
  const { answer, real, seen, seconds } = await inspectShares(daemon, { token, seconds: 6, victim });
  await victim.stop();
  t.diagnostic(JSON.stringify({ real, seen, seconds, holds: answer.holds, rows: answer.data.length }));
  assert.equal(answer.evidence, 'overlap');
  assert.ok(seconds > 0.1, 'the two readers did hold it');
  assert.ok(
    Math.abs(real - seen) <= 10,
    `${seen.toFixed(1)} % by windows, ${real.toFixed(1)} % by real holds`,
  );
  assert.ok(answer.holds.some(({ file, holds_total }) => file === 'smaps' && holds_total > 100));
  assert.ok(
    answer.kernel_stacks.some(({ frames }) => frames.some((name) => /munmap|mmap|mprotect/.test(name))),
    'where the writers stood',
  );

  // Over the whole run every wait of the writer is its readers', ~unknown, or behind no reader: to the nanosecond.
  const metrics = await daemon.settled();
  const sum = (name: string): number => metrics.sum(name) ?? 0;
  assert.equal(
    (sum('mmaplock_block_seconds_total') + sum('mmaplock_unblocked_wait_seconds_total')).toFixed(9),
    sum('mmaplock_wait_seconds_total').toFixed(9),
  );
  assert.ok(sum('mmaplock_inspect_seconds_total') >= 5, 'inspect mode is counted');
  assert.equal(await daemon.stop(), 0);
});
