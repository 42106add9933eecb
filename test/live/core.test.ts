/** The core: one test of each promise, on one daemon. The other files of this folder prove more of each. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertTimely, upToThreeTimes } from '../support/timing.js';
import { assertBlocksOf } from './support/blocks.js';
import { killLeftovers } from './support/children.js';
import { gone, lives, type Metrics, type RunningDaemon, startDaemon } from './support/daemon.js';
import { assertExactWaits, type PreparedWaits, prepareWaits } from './support/exact-waits.js';
import { lacking } from './support/host.js';
import { assertLongest, type Incident, incidentsOf, largeMappings, starve } from './support/incidents.js';
import { assertReads, seenOf } from './support/reads.js';
import { runWorkload } from './support/workload.js';

const skip = lacking('root', 'tracing', 'bpftrace');
const noPerf = lacking('perf');

after(killLeftovers);

describe('the promises, on one daemon', { skip }, () => {
  let prepared: PreparedWaits;
  let daemon: RunningDaemon;
  /** Milliseconds from the start of the daemon until it was ready. */
  let firstStart: number;

  before(async () => {
    if (noPerf === false) prepared = await prepareWaits('core-waits', ['--threads', '2', '--ops', '30000']);
    const startedAt = Date.now();
    daemon = await startDaemon();
    await daemon.ready();
    firstStart = Date.now() - startedAt;
  });

  test('exact waits: each that the kernel counts, its seconds, and what it was for', {
    skip: noPerf,
  }, async (t) => {
    const truth = await prepared.run();
    const metrics = await daemon.settled();
    assertExactWaits(t, metrics, truth);
    const of = (mode: string, operation: string): number =>
      metrics.sum('mmaplock_waits_total', { mode, operation }) ?? 0;
    for (const operation of ['mmap', 'munmap', 'mprotect'])
      assert.ok(of('write', operation) > 0, `no write wait for ${operation}`);
    assert.ok(of('read', 'page_fault') > 0, 'no read wait for page_fault');
  });

  test('exact reads and retries: each read that the reader made, and that it had to retry', async (t) => {
    let attempt = 0;
    await upToThreeTimes(t, 'core: a reader of a busy target has to retry', async () => {
      attempt += 1;
      const name = `core-maps-${attempt}`;
      const target = await runWorkload('writers', ['--vmas', '2000', '--seconds', '600']);
      await target.ready;
      const args = ['--passes', '400', '--name', name];
      const reader = await runWorkload('proc-reader', ['maps', String(target.pid), ...args]);
      const truth = await reader.done;
      await target.stop();
      const metrics = await daemon.settled();
      const seen = seenOf(metrics, name, 'maps');
      t.diagnostic(JSON.stringify({ reads: truth.reads, opens: truth.opens, seconds: truth.seconds, seen }));
      assert.ok(truth.reads > 2000, `${truth.reads} reads`);
      assertReads(metrics, seen.reads, truth.reads);
      assert.equal(seen.opens, truth.opens);
      assert.ok(seen.retries < truth.reads, 'not at each read: faults on its own memory are no retries');
      const { body } = await daemon.get<{ data: Record<string, unknown>[] }>(
        `/api/v1/readers?reader=${name}`,
      );
      const [row] = body.data;
      assert.equal(row?.reads_total, seen.reads);
      assert.equal(row?.last_pid, String(reader.pid));
      assert.equal(row?.last_target_pid, String(target.pid));
      assertTimely(seen.retries > 0, 'no retry');
    });
  });

  test('blocks: a reader of smaps blocks a writer for as long as that sleeps', async (t) => {
    let attempt = 0;
    await upToThreeTimes(t, 'core: blocked for as long as the writer slept', async () => {
      attempt += 1;
      const [victim, name] = [`core-victim-${attempt}`, `core-smaps-${attempt}`];
      const writers = await runWorkload('writers', [
        ...['--threads', '1', ...largeMappings, '--pin', '0', '--seconds', '600', '--name', victim],
      ]);
      await writers.ready;
      const reader = await runWorkload('proc-reader', [
        ...['smaps', String(writers.pid), '--pin', '1', '--seconds', '2', '--name', name],
      ]);
      await reader.done;
      const result = await writers.stop();
      const metrics = await daemon.settled();
      assertBlocksOf(t, metrics, { reader: name, file: 'smaps', victim }, result.schedstat);
    });
  });

  test('an incident: who blocked whom, with which file, and for how long', async (t) => {
    let attempt = 0;
    await upToThreeTimes(t, 'core: a reader that holds the lock without a CPU', async () => {
      attempt += 1;
      const [writer, reader] = [`core-starved-${attempt}`, `core-nice-${attempt}`];
      const told = async (): Promise<Incident | undefined> => (await incidentsOf(daemon, writer))[0];
      const enough = async (): Promise<boolean> => ((await told())?.longest_wait_seconds ?? 0) > 0.05;
      const truth = await starve({ reader, writer, until: enough });
      assertTimely(truth.longest.wait > 0.05, `no wait of 50 ms, ${truth.longest.wait} s at most`);
      await daemon.settled();
      const incidents = await incidentsOf(daemon, writer);
      assert.equal(incidents.length, 1, 'one incident');
      const [incident] = incidents as [Incident];
      t.diagnostic(incident.sentence);
      assert.equal(incident.victim.pid, String(truth.writer));
      assert.deepEqual(
        incident.readers.map(({ name, pid, file, nice }) => ({ name, pid, file, nice })),
        [{ name: reader, pid: String(truth.reader), file: 'smaps', nice: 19 }],
      );
      assertLongest(incident, truth);
    });
  });

  test('readiness: a tracer that is killed is told with its reason, is back, and no counter went down', async (t) => {
    const writers = await runWorkload('writers', ['--name', 'core-kill', '--seconds', '600']);
    const waitsOf = (metrics: Metrics): number =>
      metrics.sum('mmaplock_process_waits_total', { process: 'core-kill' }) ?? 0;
    await daemon.until('waits', (now) => waitsOf(now) > 100);
    const counters = new Map<string, number>();
    const noneWentDown = ({ samples }: Metrics): void => {
      for (const { name, labels, value } of samples) {
        if (!/^mmaplock_.*(_total|_bucket|_count|_sum)$/.test(name)) continue;
        const key = name + JSON.stringify(labels);
        assert.ok(value >= (counters.get(key) ?? 0), `${key} went down`);
        counters.set(key, value);
      }
    };
    let kills = 0;
    await upToThreeTimes(t, 'core: back after a kill', async () => {
      kills += 1;
      const tracer = await daemon.tracerPid();
      const killedAt = Date.now();
      process.kill(tracer, 'SIGKILL');
      await daemon.until('not ready, and why', (now, { status, body }) => {
        noneWentDown(now);
        return status === 503 && body.problems.some(({ code }) => code === 'tracer_killed');
      });
      const back = await daemon.until('ready again', (now, { status }) => {
        noneWentDown(now);
        return now.sum('mmaplock_tracer_up') === 1 && status === 200;
      });
      const took = Date.now() - killedAt;
      t.diagnostic(JSON.stringify({ kills, took, firstStart }));
      assert.equal(back.sum('mmaplock_tracer_restarts_total', { reason: 'killed' }), kills);
      assert.ok((back.sum('mmaplock_blind_seconds_total', { reason: 'killed' }) ?? 0) > 0, 'the gap is told');
      const before = waitsOf(back);
      await daemon.until('new waits', (now) => {
        noneWentDown(now);
        return waitsOf(now) > before;
      });
      // One program of the three of the first start; but the writers have the CPUs now, and a retry waits for a second.
      assertTimely(took < 3000 + 2 * firstStart, `back after ${took} ms, first started in ${firstStart} ms`);
    });
    await writers.stop();
  });

  test('no orphan: the daemon is killed, and its tracer is gone', async () => {
    const tracer = await daemon.tracerPid();
    assert.equal(await lives(tracer), true);
    await daemon.kill();
    await gone(tracer, 2);
  });
});
