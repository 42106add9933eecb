/** Waits as the daemon counts them, held against the kernel's own count and an independent program. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { readProcess } from '../../src/identity/process.js';
import { killLeftovers } from './support/children.js';
import { type RunningDaemon, startDaemon } from './support/daemon.js';
import { assertExactWaits, type PreparedWaits, prepareWaits } from './support/exact-waits.js';
import { lacking } from './support/host.js';
import { eventually } from './support/patience.js';
import { perfCount, runWorkload, witness } from './support/workload.js';

const skip = lacking('root', 'tracing', 'bpftrace', 'perf');

after(killLeftovers);

describe('one daemon', { skip }, () => {
  let prepared: PreparedWaits;
  let daemon: RunningDaemon;

  before(async () => {
    prepared = await prepareWaits('wr-eight', ['--threads', '8', '--ops', '5000', '--pin', '0,1']);
    // Threads that never come back, all the while: some are between the probe of the begin and that of the end.
    const spawner = await runWorkload('spawner', [
      ...['--count', '1000000', '--parallel', '8', '--name', 'gone'],
    ]);
    daemon = await startDaemon();
    await daemon.ready();
    process.kill(spawner.pid, 'SIGKILL');
    await assert.rejects(spawner.done);
  });

  after(async () => {
    assert.equal(await daemon.stop(), 0);
  });

  test('a wait that ended while the probes were being attached does not go on for ever', async (t) => {
    await daemon.settled();
    // Others of this host may wait right now, and those waits end.
    await eventually('no wait goes on for over a second', async () => {
      const { body } = await daemon.get<{ ongoing: { seconds: number }[] }>('/api/v1/waits');
      const oldest = (await daemon.metrics()).all('mmaplock_oldest_wait_seconds').map(({ value }) => value);
      const seconds = [...oldest, ...body.ongoing.map((wait) => wait.seconds)];
      return Math.max(...seconds) < 1 ? true : undefined;
    });
    t.diagnostic(`${(await daemon.metrics()).sum('mmaplock_waits_total')} waits`);
  });

  test('eight threads on two CPUs, where waiters contend on spinlocks too', async (t) => {
    const truth = await prepared.run();
    const metrics = await daemon.settled();
    assertExactWaits(t, metrics, truth);
    for (const operation of ['mmap', 'munmap', 'mprotect'])
      assert.ok((metrics.sum('mmaplock_waits_total', { mode: 'write', operation }) ?? 0) > 0, operation);
  });

  test('600 short-lived processes that contend once are counted exactly, by name', async (t) => {
    const prefix = `b${process.pid}-`;
    const spawner = await runWorkload(
      'spawner',
      ['--count', '600', '--parallel', '4', '--name', prefix, '--distinct', '5'],
      { gate: true },
    );
    await spawner.ready;
    // Told by a program that shares nothing with ours: a rwsem inside the mm_struct of the thread that waits.
    const second = await witness(`
      tracepoint:lock:contention_begin /(args->flags == 2 || args->flags == 4) && 
          ((uint64)args->lock_addr - (uint64)curtask->mm) >> 12 == 0/ {
        @begun[tid, args->lock_addr] = 1;
      }
      tracepoint:lock:contention_end /@begun[tid, args->lock_addr] != 0/ {
        @waits[comm] = count();
        delete(@begun[tid, args->lock_addr]);
      }`);
    const perf = await perfCount({ pid: spawner.pid });
    spawner.release();
    const result = await spawner.done;
    const truth = await perf.stop();
    const waits = (await second.stop())['@waits'] as Record<string, number>;
    const metrics = await daemon.settled();
    const names = [0, 1, 2, 3, 4].map((index) => prefix + index);
    const byName = names.map((process) => metrics.sum('mmaplock_process_waits_total', { process }) ?? 0);
    t.diagnostic(JSON.stringify({ ...result, perf: truth, byName }));
    assert.deepEqual(
      byName,
      names.map((name) => waits[name]),
    );
    // A child takes a call that slept for its wait. One in a thousand slept for something else, or waits a second time.
    assert.equal(result.contended, 600);
    for (const count of byName) assert.ok(Math.abs(count - 120) < 5, `each name has 120 waits: ${byName}`);
    // perf counts every rwsem: now and then also the i_mmap_rwsem of a file, for which the parent's fork waits.
    const counted = byName.reduce((sum, count) => sum + count, 0);
    assert.ok(
      counted <= truth && truth < counted + 10,
      `${counted} waits have their name, perf saw ${truth}`,
    );
  });

  test('a wait still going on grows while its holder hangs on a stopped process', {
    skip: lacking('fuse'),
  }, async (t) => {
    const stopper = await runWorkload('stopper', ['--hold-ms', '4500'], { gate: true });
    await stopper.ready;
    stopper.release();
    const [, holder, server] = await stopper.said(/^holding (\d+) (\d+)$/);
    assert.equal(readProcess(Number(server))?.state, 'T', 'stopped by SIGSTOP');
    const seen: number[] = [];
    await daemon.until('the oldest write wait passes 2.2 s', (metrics) => {
      seen.push(metrics.sum('mmaplock_oldest_wait_seconds', { mode: 'write' }) ?? 0);
      return (seen.at(-1) ?? 0) > 2.2;
    });
    const { body } = await daemon.get<{
      ongoing: { pid: string; process: string; mode: string; operation: string; seconds: number }[];
    }>('/api/v1/waits?mode=write');
    t.diagnostic(JSON.stringify(body.ongoing));
    assert.equal(body.ongoing[0]?.pid, holder);
    assert.equal(body.ongoing[0]?.operation, 'mmap');
    const values = [...new Set(seen)].filter((value) => value > 0);
    assert.ok(values.length >= 3, `it grew tick by tick: ${values}`);
    assert.deepEqual(
      values,
      values.toSorted((a, b) => a - b),
    );
    const result = await stopper.done;
    await daemon.until(
      'nobody waits any more',
      (metrics) => metrics.sum('mmaplock_oldest_wait_seconds') === 0,
    );
    const waits = (await daemon.metrics()).sum('mmaplock_wait_duration_seconds_bucket', {
      mode: 'write',
      le: '8.388608',
    });
    assert.ok(waits !== undefined && result.longest_wait_ns > 4e9);
  });

  test('hostile names of processes reach metrics and API whole and harmless', async () => {
    const names = ['a"b\\c', 'x\ny', '~other', '\u001b[31mred'];
    for (const name of names) {
      const writers = await runWorkload('writers', ['--once', '--name', name]);
      await writers.done;
    }
    const metrics = await daemon.settled();
    const labels = new Set(
      metrics.all('mmaplock_process_waits_total').map((sample) => sample.labels.process),
    );
    for (const shown of ['a\\"b\\\\c', 'x\\\\x0ay', '\\\\x7eother', '\\\\x1b[31mred'])
      assert.ok(labels.has(shown), `${shown} is not among ${[...labels].join(' ')}`);
    const { body } = await daemon.get<{ data: { process: string }[] }>('/api/v1/processes?process=x%5Cx0ay');
    assert.equal(body.data[0]?.process, 'x\\x0ay');
  });

  test('promtool finds nothing to complain about', {
    skip: skip === false ? lacking('promtool') : skip,
  }, async () => {
    const { text } = await daemon.settled();
    const { exitCode, stdout, stderr } = await execa('promtool', ['check', 'metrics'], {
      input: text,
      reject: false,
    });
    assert.deepEqual({ exitCode, stdout, stderr }, { exitCode: 0, stdout: '', stderr: '' });
  });

  test('the tracer shows what it costs', async () => {
    const metrics = await daemon.until(
      'a look at the cost',
      (now) => now.sum('mmaplock_tracer_resident_memory_bytes') !== undefined,
      15,
    );
    assert.ok(metrics.sum('mmaplock_tracer_resident_memory_bytes')! > 10e6);
    assert.ok(metrics.sum('mmaplock_tracer_map_memory_bytes')! > 1e5);
    assert.ok(metrics.sum('mmaplock_tracer_map_memory_bytes')! < 64 * 2 ** 20);
    assert.ok(
      metrics
        .all('mmaplock_probe_misses_total')
        .some(({ labels }) => labels.probe === 'tracepoint:lock:contention_begin'),
    );
  });
});
