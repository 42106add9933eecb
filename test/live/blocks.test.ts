/** Who blocks whom, held against what the blocked thread slept, and against the holds an independent program saw. */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { after, before, describe, type TestContext, test } from 'node:test';
import { execa } from 'execa';
import { assertTimely, upToThreeTimes } from '../support/timing.js';
import { assertBlocksOf, assertConserved, total } from './support/blocks.js';
import { type Cgroup, withCgroups } from './support/cgroups.js';
import { killLeftovers } from './support/children.js';
import { type Metrics, type RunningDaemon, startDaemon } from './support/daemon.js';
import { lacking } from './support/host.js';
import { incidentsOf, largeMappings } from './support/incidents.js';
import { assertReads } from './support/reads.js';
import { runWorkload, witness } from './support/workload.js';

const skip = lacking('root', 'tracing', 'bpftrace');

after(killLeftovers);

const before67 = release().localeCompare('6.7', undefined, { numeric: true }) < 0;

/** Of this file: each has names of its own. */
let attempts = 0;

/**
 * A reader of smaps holds the lock of such mappings for some 50 us at a time: a writer that meets a reader spins for
 * 10 us before it sleeps (rwsem_rspin_threshold(), kernel/locking/rwsem.c), and does not sleep at all where that will do.
 * Ended by the test.
 */
const single = ['--threads', '1', ...largeMappings, '--pin', '0', '--seconds', '600'];

/** Nothing was blocked, nobody had to retry, and no incident blames a reader, since the daemon started. */
const assertNothing = async (daemon: RunningDaemon): Promise<void> => {
  const metrics = await daemon.settled();
  for (const name of [
    'mmaplock_blocks_total',
    'mmaplock_block_seconds_total',
    'mmaplock_reader_blocks_total',
    'mmaplock_proc_read_retries_total',
  ])
    assert.deepEqual(
      metrics.all(name).filter(({ value }) => value !== 0),
      [],
      name,
    );
  assert.deepEqual(
    metrics
      .all('mmaplock_incidents_total')
      .filter(({ labels, value }) => labels.file !== 'none' && value !== 0),
    [],
    'incidents by file',
  );
  const incidents = await incidentsOf(daemon);
  assert.deepEqual(
    incidents.filter(({ readers }) => readers.length > 0),
    [],
    'incidents that blame a reader',
  );
  assertConserved(metrics);
};

/**
 * The overlap of each reader's real holds with the waits of one thread, told by a program that shares nothing with
 * ours: it follows every acquisition and release of the readers. The release is told before it happens, so the time is
 * taken last.
 */
const holdsOf = (a: number, b: number, victim: number): string => `
  tracepoint:lock:contention_begin /pid == ${victim} && args->flags == 4/ {
    @since = nsecs; @lock = (uint64)args->lock_addr;
  }
  tracepoint:lock:contention_end /pid == ${victim} && @lock == (uint64)args->lock_addr/ {
    @waited = sum(nsecs - @since); @since = (uint64)0; @lock = (uint64)0;
  }
  tracepoint:mmap_lock:mmap_lock_acquire_returned
  /(pid == ${a} || pid == ${b}) && args->success && args->mm != curtask->mm/ {
    @hold[tid] = nsecs;
  }
  tracepoint:mmap_lock:mmap_lock_released /@hold[tid] != 0/ {
    $from = @hold[tid];
    if (@since > $from) { $from = @since; }
    delete(@hold[tid]);
    if (@since != 0) { @overlap[pid] = sum(nsecs - $from); }
  }`;

describe('one daemon', { skip }, () => {
  let daemon: RunningDaemon;

  before(async () => {
    daemon = await startDaemon({ args: ['--incidents.wait-ms=2'] });
    await daemon.ready();
  });

  after(async () => {
    assert.equal(await daemon.stop(), 0);
  });

  // The first, for it looks at all that was counted since the start.
  test('no reader, no blame: neither a block nor an incident', async (t) => {
    const idle = await runWorkload('writers', ['--vmas', '2000'], { gate: true });
    await idle.ready;
    // While these run, the idle one settles: its own start may still change its address space.
    await t.test('writers alone', async () => {
      const alone = ['--threads', '2', '--vmas', '2000', '--ops', '10000'];
      await (await runWorkload('writers', alone)).done;
      const heavy = await runWorkload('writers', ['--threads', '8', '--ops', '5000', '--name', 'wr-heavy']);
      await heavy.done;
    });
    await t.test('eight threads of a process that read its own maps once', async () => {
      for (const file of ['maps', 'smaps']) {
        const args = ['--threads', '8', '--ops', '3000', '--read-own', file];
        const { own_reads } = await (await runWorkload('writers', args)).done;
        assert.ok(own_reads > 0);
      }
    });
    await t.test('readers of an idle process', async () => {
      for (const file of ['maps', 'smaps', 'smaps_rollup', 'numa_maps']) {
        const reader = await runWorkload('proc-reader', [file, String(idle.pid), '--passes', '100']);
        assert.ok((await reader.done).reads > 100);
      }
    });
    await t.test('storms of fork and exec', async () => {
      const storm = 'i=0; while [ $i -lt 1000 ]; do /bin/true; i=$((i+1)); done';
      const spawner = await runWorkload('spawner', ['--count', '500', '--parallel', '8', '--name', 'storm-']);
      await Promise.all([spawner.done, execa('sh', ['-c', storm]), execa('sh', ['-c', storm])]);
    });
    await assertNothing(daemon);
    assert.ok(total(await daemon.metrics(), 'mmaplock_unblocked_waits_total') > 100, 'there were waits');
    assert.ok((await incidentsOf(daemon, 'wr-heavy')).length > 0, 'they do wait for each other');
    await idle.stop();
  });

  test('one writer and one reader, pinned apart: each blocks for as long as the writer sleeps, smaps more than maps', (t) =>
    upToThreeTimes(t, 'blocks: for as long as the writer sleeps', async () => {
      attempts += 1;
      const seconds: Record<string, number> = {};
      for (const file of ['smaps', 'maps']) {
        const [victim, name] = [`wr-${file}-${attempts}`, `by-${file}-${attempts}`];
        const writers = await runWorkload('writers', [...single, '--name', victim]);
        await writers.ready;
        const reader = await runWorkload('proc-reader', [
          ...[file, String(writers.pid), '--name', name, '--pin', '1', '--seconds', '3'],
        ]);
        await reader.done;
        const result = await writers.stop();
        const metrics = await daemon.settled();
        const labels = { reader: name, file, victim };
        seconds[file] = total(metrics, 'mmaplock_reader_block_seconds_total', labels);
        assertBlocksOf(t, metrics, labels, result.schedstat);
        if (file === 'maps') continue;
        const { body } = await daemon.get<{ data: Record<string, string>[] }>(
          `/api/v1/blocks?victim=${victim}`,
        );
        const [row] = body.data;
        assert.deepEqual({ reader: row?.reader, file: row?.file, victim: row?.victim }, labels);
      }
      assertTimely(seconds.smaps! > seconds.maps!, `smaps ${seconds.smaps} s, maps ${seconds.maps} s`);
    }));

  const sharesOf = async (t: TestContext, fileA: string, fileB: string) => {
    attempts += 1;
    const victim = `wr-two-${attempts}`;
    const names = [`reader-a-${attempts}`, `reader-b-${attempts}`] as const;
    const writers = await runWorkload('writers', [...single, '--name', victim], { gate: true });
    await writers.ready;
    const started = async (file: string, name: string) => {
      const args = [file, String(writers.pid), '--name', name, '--pin', '1', '--seconds', '3'];
      const reader = await runWorkload('proc-reader', args, { gate: true });
      await reader.ready;
      return reader;
    };
    const [a, b] = [await started(fileA, names[0]), await started(fileB, names[1])];
    const holds = await witness(holdsOf(a.pid, b.pid, writers.pid));
    for (const { release } of [writers, a, b]) release();
    await Promise.all([a.done, b.done]);
    await writers.stop();
    const maps = await holds.stop();
    const metrics = await daemon.settled();
    const overlap = maps['@overlap'] as Record<string, number>;
    const [realA = 0, realB = 0] = [overlap[a.pid], overlap[b.pid]];
    const secondsOf = (reader: string): number =>
      total(metrics, 'mmaplock_reader_block_seconds_total', { reader, victim });
    const [seenA, seenB, unknown] = [secondsOf(names[0]), secondsOf(names[1]), secondsOf('~unknown')];
    const real = (100 * realA) / (realA + realB);
    const seen = (100 * seenA) / (seenA + seenB);
    t.diagnostic(
      JSON.stringify({ fileA, fileB, real, seen, realSeconds: (realA + realB) / 1e9, seenA, seenB, unknown }),
    );
    assertConserved(metrics);
    assertTimely(realA + realB > 1e8, `the two readers held it for ${(realA + realB) / 1e9} s`);
    assertTimely(
      Math.abs(real - seen) <= 10,
      `${seen.toFixed(1)} % seen, ${real.toFixed(1)} % of the real holds`,
    );
  };

  for (const [fileA, fileB] of [
    ['smaps', 'numa_maps'],
    ['smaps_rollup', 'smaps'],
    ['smaps', 'smaps'],
  ] as const)
    test(`two readers at once, ${fileA} and ${fileB}: each has the share of its holds`, (t) =>
      upToThreeTimes(t, 'blocks: each of two readers has the share of its holds', () =>
        sharesOf(t, fileA, fileB),
      ));

  for (const { call, file, victimArgs, readerArgs } of [
    {
      call: 'pagemap_scan',
      file: 'pagemap',
      victimArgs: largeMappings,
      readerArgs: ['--range', '10000-7ffffffff000'],
    },
    { call: 'map_files', file: 'map_files', victimArgs: ['--vmas', '20000', '--vma-files'], readerArgs: [] },
  ] as const)
    test(
      `${call}: each call counts, waits for the lock are its own, and it blocks for as long as the writer sleeps`,
      {
        skip: call === 'pagemap_scan' && before67 && 'no PAGEMAP_SCAN before 6.7',
      },
      (t) =>
        upToThreeTimes(t, 'blocks: PAGEMAP_SCAN and listings of map_files', async () => {
          attempts += 1;
          const [victim, name] = [`wr-${file}-${attempts}`, `by-${file}-${attempts}`];
          const writers = await runWorkload('writers', [
            ...['--threads', '1', '--pin', '0', '--seconds', '600', '--name', victim, ...victimArgs],
          ]);
          await writers.ready;
          const reader = await runWorkload('proc-reader', [
            ...[call, String(writers.pid), '--name', name, '--pin', '1', '--seconds', '3', ...readerArgs],
          ]);
          const truth = await reader.done;
          const { schedstat } = await writers.stop();
          const metrics = await daemon.settled();
          const seen = {
            reads: total(metrics, 'mmaplock_reader_reads_total', { reader: name, file }),
            waits: total(metrics, 'mmaplock_reader_waits_total', { reader: name, file }),
            remote: total(metrics, 'mmaplock_reader_waits_total', { reader: name, file: 'remote' }),
            blocked: total(metrics, 'mmaplock_reader_block_seconds_total', { reader: name, file, victim }),
          };
          const slept = schedstat.slept_ns / 1e9;
          t.diagnostic(JSON.stringify({ truth: truth.reads, seen, slept }));
          assertConserved(metrics);
          assertReads(metrics, seen.reads, truth.reads);
          assert.equal(seen.remote, 0, 'it is told what it does');
          assert.ok(seen.blocked > 0, 'the reader is named');
          assertTimely(seen.waits > 0, 'it never had to wait itself');
          assertTimely(slept > 0.1, `the writer slept for ${slept} s only`);
          assertTimely(seen.blocked >= 0.9 * slept - 0.02, `${seen.blocked} s blocked, ${slept} s slept`);
        }),
    );

  test('two readers of one name in two cgroups are two: each is billed for its own', (t) =>
    upToThreeTimes(t, 'blocks: readers of one name in two cgroups', async () => {
      attempts += 1;
      const [victim, name] = [`wr-cgroup-${attempts}`, `by-cgroup-${attempts}`];
      // Always somebody waits, so that the first reader's clock is still kept when the second comes.
      const args = ['--threads', '3', ...largeMappings, '--pin', '0', '--seconds', '600', '--name', victim];
      const writers = await runWorkload('writers', args);
      await writers.ready;
      const secondsOf = async (cgroup: string): Promise<number> => {
        await daemon.settled();
        const { body } = await daemon.get<{
          data: readonly { reader: string; reader_cgroup_id: string | null; block_seconds_total: number }[];
        }>(`/api/v1/blocks?victim=${victim}`);
        return body.data
          .filter(({ reader, reader_cgroup_id }) => reader === name && reader_cgroup_id === cgroup)
          .reduce((sum, { block_seconds_total }) => sum + block_seconds_total, 0);
      };
      await withCgroups(['a', 'b'], async (cgroups) => {
        const [a, b] = cgroups as [Cgroup, Cgroup];
        const readIn = async (cgroup: Cgroup): Promise<void> => {
          const reader = await runWorkload(
            'proc-reader',
            ['smaps', String(writers.pid), '--name', name, '--pin', '1', '--seconds', '1'],
            { gate: true },
          );
          await reader.ready;
          cgroup.take(reader.pid);
          reader.release();
          await reader.done;
        };
        await readIn(a);
        const first = await secondsOf(a.id);
        await readIn(b);
        const [stays, second] = [await secondsOf(a.id), await secondsOf(b.id)];
        t.diagnostic(JSON.stringify({ first, stays, second }));
        assertTimely(first > 0.05, `the first blocked for ${first} s only`);
        assert.equal(stays, first, 'the first, which is gone, is billed for nothing more');
        assert.ok(second > 0.05, `the second, ${second} s`);
      });
      await writers.stop();
    }));

  test('clear_refs holds the lock to write: it blocks those who want to read as well', (t) =>
    upToThreeTimes(t, 'blocks: clear_refs meets writers and readers', async () => {
      attempts += 1;
      const [victim, name] = [`wr-clear-${attempts}`, `by-clear-${attempts}`];
      const reads = (metrics: Metrics) => ({
        all: total(metrics, 'mmaplock_waits_total', { mode: 'read' }),
        unblocked: total(metrics, 'mmaplock_unblocked_waits_total', { mode: 'read' }),
      });
      const before = reads(await daemon.settled());
      const args = ['--threads', '2', '--vmas', '2000', '--seconds', '600', '--name', victim];
      const writers = await runWorkload('writers', args);
      await writers.ready;
      const reader = await runWorkload('proc-reader', [
        ...['clear_refs', String(writers.pid), '--name', name, '--passes', '500'],
      ]);
      await reader.done;
      await writers.stop();
      const metrics = await daemon.settled();
      const labels = { file: 'clear_refs', reader: name, victim };
      const seen = {
        blocks: total(metrics, 'mmaplock_reader_blocks_total', labels),
        seconds: total(metrics, 'mmaplock_reader_block_seconds_total', labels),
        waits: total(metrics, 'mmaplock_reader_waits_total', { file: 'clear_refs', reader: name }),
        reads: reads(metrics).all - before.all,
        unblockedReads: reads(metrics).unblocked - before.unblocked,
      };
      t.diagnostic(JSON.stringify(seen));
      assertConserved(metrics);
      assertTimely(seen.blocks > 0 && seen.seconds > 0, 'it blocked nobody');
      assertTimely(seen.waits > 0, 'it did not have to wait itself');
      assertTimely(seen.unblockedReads < seen.reads, 'none of those who waited to read stood behind it');
    }));
});

test('without retries, and so without windows, the reader of smaps is still named', { skip }, async (t) => {
  const daemon = await startDaemon({ args: ['--retries=off'] });
  await daemon.ready();
  await upToThreeTimes(t, 'blocks: without windows, most of what the writer sleeps', async () => {
    attempts += 1;
    const [victim, name] = [`wr-word-${attempts}`, `by-word-${attempts}`];
    const writers = await runWorkload('writers', [...single, '--name', victim]);
    await writers.ready;
    const reader = await runWorkload('proc-reader', [
      ...['smaps', String(writers.pid), '--name', name, '--pin', '1', '--seconds', '2'],
    ]);
    await reader.done;
    const result = await writers.stop();
    const metrics = await daemon.settled();
    const labels = { file: 'smaps', reader: name, victim };
    const blocked = total(metrics, 'mmaplock_reader_block_seconds_total', labels);
    const slept = result.schedstat.slept_ns / 1e9;
    t.diagnostic(JSON.stringify({ blocked, slept }));
    assert.deepEqual(metrics.all('mmaplock_proc_read_retries_total'), [], 'retries are not looked at');
    assertConserved(metrics);
    assertTimely(slept > 0.1, `it slept for ${slept} s only`);
    assert.ok(blocked > 0, 'the reader is named');
    assertTimely(blocked > 0.8 * slept, `${blocked} s blocked, ${slept} s slept`);
  });
  assert.equal(await daemon.stop(), 0);
});
