/** Who blocks whom, held against what the blocked thread slept, and against the holds an independent program saw. */
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { execa } from 'execa';
import { killLeftovers } from './support/children.js';
import { type Metrics, type RunningDaemon, startDaemon } from './support/daemon.js';
import { lacking } from './support/host.js';
import { runWorkload, type WritersResult, witness } from './support/workload.js';

const skip = lacking('root', 'tracing', 'bpftrace');

after(killLeftovers);

const observing = async (): Promise<RunningDaemon> => {
  const daemon = await startDaemon();
  await daemon.ready();
  return daemon;
};

const total = (metrics: Metrics, name: string, labels: Readonly<Record<string, string>> = {}): number =>
  metrics.sum(name, labels) ?? 0;

/** Blocks, unblocked waits and waits are counted apart, and must agree to the nanosecond. */
const assertConserved = (metrics: Metrics): void => {
  const blocked = total(metrics, 'mmaplock_block_seconds_total');
  const unblocked = total(metrics, 'mmaplock_unblocked_wait_seconds_total');
  const waited = total(metrics, 'mmaplock_wait_seconds_total');
  assert.ok(waited > 0);
  assert.equal(
    (blocked + unblocked).toFixed(9),
    waited.toFixed(9),
    'blocks and unblocked waits are all waits',
  );
  assert.equal(
    total(metrics, 'mmaplock_reader_block_seconds_total').toFixed(9),
    blocked.toFixed(9),
    'by reader and victim, and in all',
  );
};

/** Seconds of the calls that take the lock, beyond what as many took without a reader. */
const addedSeconds = (writers: WritersResult, alone: WritersResult): number =>
  (['mmap', 'mprotect', 'munmap'] as const).reduce((sum, op) => {
    const usual = alone.ops[op].sum_ns / alone.ops[op].count;
    return sum + (writers.ops[op].sum_ns - writers.ops[op].count * usual) / 1e9;
  }, 0);

/**
 * Mappings so large that a reader of smaps holds the lock for some 50 us at a time: a writer that meets a reader spins for
 * 10 us before it sleeps (rwsem_rspin_threshold(), kernel/locking/rwsem.c), and does not sleep at all where that will do.
 */
const single = ['--threads', '1', '--vmas', '600', '--vma-bytes', '524288', '--pin', '0'];

test('one writer and one reader, pinned apart: smaps blocks, for as long as the writer sleeps; maps hardly does', {
  skip,
}, async (t) => {
  const daemon = await observing();
  const quiet = await runWorkload('writers', [...single, '--seconds', '3', '--name', 'wr-alone']);
  const alone = await quiet.done;
  const seconds: Record<string, number> = {};
  for (const file of ['smaps', 'maps']) {
    const victim = `wr-${file}`;
    const writers = await runWorkload('writers', [...single, '--seconds', '8', '--name', victim], {
      gate: true,
    });
    await writers.ready;
    const reader = await runWorkload(
      'proc-reader',
      [file, String(writers.pid), '--name', `by-${file}`, '--pin', '1', '--seconds', '8'],
      { gate: true },
    );
    await reader.ready;
    writers.release();
    reader.release();
    const [result] = await Promise.all([writers.done, reader.done]);
    const metrics = await daemon.settled();
    const blocked = total(metrics, 'mmaplock_reader_block_seconds_total', {
      file,
      reader: `by-${file}`,
      victim,
    });
    const unknown = total(metrics, 'mmaplock_reader_block_seconds_total', { reader: '~unknown', victim });
    const waited = total(metrics, 'mmaplock_process_wait_seconds_total', { process: victim, mode: 'write' });
    const slept = result.schedstat.slept_ns / 1e9;
    const added = addedSeconds(result, alone);
    seconds[file] = blocked;
    t.diagnostic(
      JSON.stringify({ file, slept, blocked, added, unknown, waited, sleptShare: blocked / slept }),
    );
    assertConserved(metrics);
    const others = metrics
      .all('mmaplock_reader_block_seconds_total', { victim })
      .filter(
        ({ labels, value }) => value > 0 && ![`by-${file}`, '~unknown'].includes(labels.reader as string),
      );
    assert.deepEqual(others, [], 'nobody else read');
    if (file !== 'smaps') continue;
    // A thread also sleeps a few times for other reasons: in all some milliseconds.
    assert.ok(0.95 * slept - 0.02 <= blocked, `${blocked} s blocked, ${slept} s slept`);
    assert.ok(blocked <= 1.05 * added, `${blocked} s blocked, ${added} s added to its calls`);
    assert.ok(total(metrics, 'mmaplock_reader_blocks_total', { file, reader: 'by-smaps', victim }) > 100);
    const { body } = await daemon.get<{ data: { reader: string; file: string; victim: string }[] }>(
      `/api/v1/blocks?victim=${victim}`,
    );
    assert.deepEqual(
      { reader: body.data[0]?.reader, file: body.data[0]?.file, victim: body.data[0]?.victim },
      { reader: 'by-smaps', file: 'smaps', victim },
    );
  }
  // 20 to 300 times on a machine of its own; where others take its CPUs away, the two threads seldom run at once.
  assert.ok(seconds.smaps! >= 3 * seconds.maps!, `smaps ${seconds.smaps} s, maps ${seconds.maps} s`);
  assert.equal(await daemon.stop(), 0);
});

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

const sharesOf = async (t: TestContext, fileA: string, fileB: string) => {
  const writers = await runWorkload('writers', [...single, '--seconds', '6', '--name', 'wr-two-readers'], {
    gate: true,
  });
  await writers.ready;
  const readers = [];
  for (const [file, name] of [
    [fileA, 'reader-a'],
    [fileB, 'reader-b'],
  ] as const) {
    const reader = await runWorkload(
      'proc-reader',
      [file, String(writers.pid), '--name', name, '--pin', '1', '--seconds', '6'],
      { gate: true },
    );
    await reader.ready;
    readers.push(reader);
  }
  const [a, b] = readers;
  const holds = await witness(holdsOf(a!.pid, b!.pid, writers.pid));
  const daemon = await observing();
  for (const { release } of [writers, ...readers]) release();
  await Promise.all([writers.done, a!.done, b!.done]);
  const maps = await holds.stop();
  const metrics = await daemon.settled();
  assert.equal(await daemon.stop(), 0);
  const overlap = maps['@overlap'] as Record<string, number>;
  const [realA = 0, realB = 0] = [overlap[a!.pid], overlap[b!.pid]];
  const [seenA, seenB] = (['reader-a', 'reader-b'] as const).map((reader) =>
    total(metrics, 'mmaplock_reader_block_seconds_total', { reader, victim: 'wr-two-readers' }),
  ) as [number, number];
  const real = (100 * realA) / (realA + realB);
  const seen = (100 * seenA) / (seenA + seenB);
  const unknown = total(metrics, 'mmaplock_reader_block_seconds_total', { reader: '~unknown' });
  t.diagnostic(
    JSON.stringify({ fileA, fileB, real, seen, realSeconds: (realA + realB) / 1e9, seenA, seenB, unknown }),
  );
  assertConserved(metrics);
  assert.ok(realA + realB > 1e8, 'the two readers did hold it');
  assert.ok(Math.abs(real - seen) <= 10, `${seen.toFixed(1)} % seen, ${real.toFixed(1)} % of the real holds`);
};

for (const [fileA, fileB] of [
  ['smaps', 'numa_maps'],
  ['smaps_rollup', 'smaps'],
  ['smaps', 'smaps'],
] as const)
  test(`two readers at once, ${fileA} and ${fileB}: each has the share of its holds`, { skip }, (t) =>
    sharesOf(t, fileA, fileB),
  );

test('without retries, and so without windows, the reader of smaps is still named', { skip }, async (t) => {
  const daemon = await startDaemon({ args: ['--retries=off'] });
  await daemon.ready();
  const writers = await runWorkload('writers', [...single, '--seconds', '30', '--name', 'wr-word'], {
    gate: true,
  });
  await writers.ready;
  writers.release();
  const reader = await runWorkload('proc-reader', [
    'smaps',
    String(writers.pid),
    '--name',
    'by-word',
    '--pin',
    '1',
    '--seconds',
    '5',
  ]);
  await reader.done;
  const result = await writers.stop();
  const metrics = await daemon.settled();
  const labels = { file: 'smaps', reader: 'by-word', victim: 'wr-word' };
  const blocked = total(metrics, 'mmaplock_reader_block_seconds_total', labels);
  const slept = result.schedstat.slept_ns / 1e9;
  t.diagnostic(JSON.stringify({ blocked, slept }));
  assert.ok(blocked > 0.8 * slept, `${blocked} s blocked, ${slept} s slept`);
  assert.deepEqual(metrics.all('mmaplock_proc_read_retries_total'), [], 'retries are not looked at');
  assertConserved(metrics);
  assert.equal(await daemon.stop(), 0);
});

test('clear_refs holds the lock to write: it blocks those who want to read as well', { skip }, async (t) => {
  const daemon = await observing();
  const writers = await runWorkload('writers', ['--threads', '2', '--vmas', '2000', '--seconds', '30'], {
    gate: true,
  });
  await writers.ready;
  writers.release();
  const reader = await runWorkload('proc-reader', [
    'clear_refs',
    String(writers.pid),
    '--name',
    'by-clear',
    '--seconds',
    '4',
  ]);
  await reader.done;
  await writers.stop();
  const metrics = await daemon.settled();
  const labels = { file: 'clear_refs', reader: 'by-clear', victim: 'writers' };
  const seen = {
    blocks: total(metrics, 'mmaplock_reader_blocks_total', labels),
    seconds: total(metrics, 'mmaplock_reader_block_seconds_total', labels),
    waits: total(metrics, 'mmaplock_reader_waits_total', { file: 'clear_refs', reader: 'by-clear' }),
    written: total(metrics, 'mmaplock_waits_total', { mode: 'write' }),
    unblockedWrites: total(metrics, 'mmaplock_unblocked_waits_total', { mode: 'write' }),
    read: total(metrics, 'mmaplock_waits_total', { mode: 'read' }),
    unblockedReads: total(metrics, 'mmaplock_unblocked_waits_total', { mode: 'read' }),
  };
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.blocks > 0 && seen.seconds > 0, 'it blocked');
  assert.ok(seen.waits > 0, 'and had to wait itself');
  assert.ok(seen.unblockedReads < seen.read, 'some of those who waited to read stood behind it');
  assertConserved(metrics);
  assert.equal(await daemon.stop(), 0);
});

/** Nothing was blocked, and nobody had to retry, since the daemon started. */
const assertNothing = (metrics: Metrics): void => {
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
};

test('no reader, no blame', { skip }, async (t) => {
  const daemon = await observing();
  await t.test('10 s of writers', async () => {
    const writers = await runWorkload('writers', ['--threads', '2', '--vmas', '2000', '--seconds', '10']);
    await writers.done;
    const metrics = await daemon.settled();
    assert.ok(total(metrics, 'mmaplock_unblocked_waits_total') > 100, 'there were waits');
    assertConserved(metrics);
    assertNothing(metrics);
  });
  await t.test('readers of an idle target', async () => {
    const idle = await runWorkload('writers', ['--vmas', '2000', '--seconds', '60'], { gate: true });
    await idle.ready;
    // Let a fresh target settle: its own start may still change its address space.
    await daemon.settled();
    for (const file of ['maps', 'smaps', 'smaps_rollup', 'numa_maps']) {
      const reader = await runWorkload('proc-reader', [file, String(idle.pid), '--seconds', '2']);
      assert.ok((await reader.done).reads > 100);
    }
    idle.release();
    await idle.stop();
    assertNothing(await daemon.settled());
  });
  await t.test('eight threads of a process that read its own maps once', async () => {
    for (const file of ['maps', 'smaps']) {
      const writers = await runWorkload('writers', ['--threads', '8', '--seconds', '4', '--read-own', file]);
      const { own_reads } = await writers.done;
      assert.ok(own_reads > 0);
    }
    const metrics = await daemon.settled();
    assertConserved(metrics);
    assertNothing(metrics);
  });
  await t.test('a storm of fork and exec', async () => {
    const storm = 'i=0; while [ $i -lt 1500 ]; do /bin/true; i=$((i+1)); done';
    await Promise.all(Array.from({ length: 4 }, () => execa('sh', ['-c', storm])));
    const spawner = await runWorkload('spawner', ['--count', '1000', '--parallel', '4', '--name', 'storm-']);
    await spawner.done;
    const metrics = await daemon.settled();
    assertConserved(metrics);
    assertNothing(metrics);
  });
  assert.equal(await daemon.stop(), 0);
});
