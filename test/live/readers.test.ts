/** Reads as the daemon counts them, held against what each reader counted of itself. */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { after, before, describe, type TestContext, test } from 'node:test';
import { execa } from 'execa';
import { killLeftovers } from './support/children.js';
import { type Metrics, type RunningDaemon, startDaemon } from './support/daemon.js';
import { lacking } from './support/host.js';
import { runWorkload } from './support/workload.js';

const skip = lacking('root', 'tracing', 'bpftrace');

after(killLeftovers);

/** What the daemon says of one reader: an operator's query, by name. */
const seenOf = (metrics: Metrics, reader: string, file: string) => {
  const sum = (what: string): number => metrics.sum(`mmaplock_reader_${what}_total`, { reader, file }) ?? 0;
  return { opens: sum('opens'), reads: sum('reads'), retries: sum('retries'), waits: sum('waits') };
};

/** Probes the kernel skipped because they would have recursed (see README): what they would have counted is missing. */
const missed = (metrics: Metrics): number =>
  metrics
    .all('mmaplock_probe_misses_total')
    .filter(({ labels }) => labels.probe?.includes('sys_exit_'))
    .reduce((sum, { value }) => sum + value, 0);

const assertReads = (metrics: Metrics, counted: number, truth: number): void => {
  const misses = missed(metrics);
  if (misses === 0) assert.equal(counted, truth, 'the count of the reader itself');
  else assert.ok(counted <= truth && counted + misses >= truth, `${counted} + ${misses} missed of ${truth}`);
};

describe('readers under one daemon', { skip }, () => {
  let daemon: RunningDaemon;

  before(async () => {
    daemon = await startDaemon();
    await daemon.ready();
  });

  after(async () => {
    assert.equal(await daemon.stop(), 0);
  });

  /** One reader of a busy target; gives what it counted and what the daemon saw of it. */
  const readBusyTarget = async (t: TestContext, file: string, name: string, args: readonly string[]) => {
    const writers = await runWorkload('writers', ['--threads', '2', '--vmas', '2000', '--seconds', '60']);
    await writers.ready;
    const reader = await runWorkload('proc-reader', [file, String(writers.pid), '--name', name, ...args]);
    const truth = await reader.done;
    await writers.stop();
    const metrics = await daemon.settled();
    const seen = seenOf(metrics, name, file);
    t.diagnostic(JSON.stringify({ file, truth: truth.reads, opens: truth.opens, seen }));
    return { truth, seen, metrics, pid: reader.pid, target: writers.pid };
  };

  test('10 s of maps, with two threads that map and unmap: every read, and that it had to retry', async (t) => {
    const { truth, seen, metrics, pid, target } = await readBusyTarget(t, 'maps', 'rd-maps', [
      '--seconds',
      '10',
    ]);
    assertReads(metrics, seen.reads, truth.reads);
    assert.equal(seen.opens, truth.opens);
    assert.ok(seen.retries > 0, 'a reader of a busy target has to retry');
    assert.ok(seen.retries < truth.reads, 'but not at each read: faults on its own memory are no retries');
    const { body } = await daemon.get<{ data: Record<string, unknown>[] }>('/api/v1/readers?reader=rd-maps');
    const [row] = body.data;
    assert.equal(row?.reads_total, seen.reads);
    assert.equal(row?.last_pid, String(pid));
    assert.equal(row?.last_target_pid, String(target));
  });

  for (const file of ['smaps', 'smaps_rollup', 'numa_maps', 'pagemap'])
    test(`every read of ${file}`, async (t) => {
      const { truth, seen, metrics } = await readBusyTarget(t, file, `rd-${file.slice(0, 10)}`, [
        '--seconds',
        '3',
      ]);
      assert.ok(truth.reads > 100);
      assertReads(metrics, seen.reads, truth.reads);
      assert.equal(seen.opens, truth.opens);
      assert.equal(seen.retries, 0, 'its read() takes the lock once: that is no retry');
    });

  for (const call of ['pread', 'readv', 'preadv', 'preadv2'])
    test(`every ${call}() counts as a read`, async (t) => {
      const { truth, seen, metrics } = await readBusyTarget(t, 'maps', `rd-${call}`, [
        '--seconds',
        '2',
        '--call',
        call,
      ]);
      assertReads(metrics, seen.reads, truth.reads);
    });

  for (const [what, args] of [
    ['a descriptor inherited over fork', ['--open', 'inherit']],
    ['a descriptor inherited over fork and exec', ['--open', 'inherit', '--exec']],
    ['many threads of one process', ['--threads', '8']],
  ] as const)
    test(`every read through ${what}`, async (t) => {
      const name = `rd-${args.at(-1)?.replace('--', '')}`;
      const { truth, seen, metrics } = await readBusyTarget(t, 'smaps', name, ['--seconds', '2', ...args]);
      assertReads(metrics, seen.reads, truth.reads);
      assert.equal(seen.opens, truth.opens);
    });

  test('a reader of its own maps: every read, and no retry, for its page faults are none', async (t) => {
    const reader = await runWorkload('proc-reader', ['maps', 'self', '--name', 'rd-self', '--seconds', '3']);
    const truth = await reader.done;
    const metrics = await daemon.settled();
    const seen = seenOf(metrics, 'rd-self', 'maps');
    t.diagnostic(JSON.stringify({ truth: truth.reads, seen }));
    assertReads(metrics, seen.reads, truth.reads);
    assert.equal(seen.retries, 0);
    assert.equal(seen.waits, 0);
  });

  test('PROCMAP_QUERY: every query', {
    skip: release().localeCompare('6.11', undefined, { numeric: true }) < 0 && 'no PROCMAP_QUERY before 6.11',
  }, async (t) => {
    const { truth, seen, metrics } = await readBusyTarget(t, 'procmap_query', 'rd-query', ['--seconds', '2']);
    assert.ok(truth.reads > 1000);
    assertReads(metrics, seen.reads, truth.reads);
  });

  test('clear_refs: its opens, and that writes to it are no reads', async (t) => {
    const { truth, seen } = await readBusyTarget(t, 'clear_refs', 'rd-clear', ['--seconds', '1']);
    assert.equal(seen.opens, truth.opens);
    assert.equal(seen.reads, 0);
  });

  test('2,000 times cat in a loop from four shells: each read, by the name cat', async (t) => {
    const before = seenOf(await daemon.metrics(), 'cat', 'maps');
    const target = await runWorkload('writers', ['--vmas', '100', '--seconds', '60'], { gate: true });
    await target.ready;
    const loop = 'i=0; while [ $i -lt 2000 ]; do cat /proc/$0/maps >/dev/null; i=$((i+1)); done';
    await Promise.all(Array.from({ length: 4 }, () => execa('sh', ['-c', loop, String(target.pid)])));
    // A pass takes as many reads as any other: the file did not change.
    const one = await runWorkload('proc-reader', [
      'maps',
      String(target.pid),
      '--passes',
      '1',
      '--buffer',
      '131072',
    ]);
    const { reads } = await one.done;
    target.release();
    await target.stop();
    const metrics = await daemon.settled();
    const seen = seenOf(metrics, 'cat', 'maps');
    t.diagnostic(
      JSON.stringify({
        opens: seen.opens - before.opens,
        reads: seen.reads - before.reads,
        reads_each: reads,
      }),
    );
    assert.equal(seen.opens - before.opens, 8000);
    assertReads(metrics, seen.reads - before.reads, 8000 * reads);
    assert.equal(seen.retries - before.retries, 0, 'nobody changed the address space');
  });

  test('by name and in all, the numbers are the same at every scrape', async () => {
    const metrics = await daemon.settled();
    for (const what of ['opens', 'reads', 'waits', 'wait_seconds'])
      for (const file of ['maps', 'smaps', 'numa_maps'])
        assert.equal(
          metrics.sum(`mmaplock_reader_${what}_total`, { file })?.toFixed(9),
          metrics
            .sum(`mmaplock_proc_${what.startsWith('wait') ? 'read_' : ''}${what}_total`, { file })
            ?.toFixed(9),
          `${what} of ${file}`,
        );
  });
});

test('a descriptor that was open before the tracer started', { skip }, async (t) => {
  const target = await runWorkload('writers', ['--vmas', '500', '--seconds', '60'], { gate: true });
  await target.ready;
  const reader = await runWorkload(
    'proc-reader',
    ['maps', String(target.pid), '--name', 'rd-before', '--open', 'once', '--passes', '200'],
    { gate: true },
  );
  await reader.ready;
  const daemon = await startDaemon({ args: ['--log.level=debug'] });
  await daemon.ready();
  await daemon.until('it has looked for open files', () =>
    daemon.log.some(({ msg }) => msg?.includes('open since before the tracer')),
  );
  reader.release();
  const truth = await reader.done;
  const metrics = await daemon.settled();
  const seen = seenOf(metrics, 'rd-before', 'maps');
  t.diagnostic(JSON.stringify({ truth: truth.reads, seen }));
  assert.equal(seen.reads, truth.reads);
  assert.equal(seen.opens, 0, 'the open was before');
  await target.stop();
  assert.equal(await daemon.stop(), 0);
});

test('--reads opens and --reads off: what is not looked at is not there', { skip }, async () => {
  for (const [mode, families] of [
    ['opens', ['mmaplock_proc_opens_total']],
    ['off', []],
  ] as const) {
    const daemon = await startDaemon({ args: [`--reads=${mode}`] });
    await daemon.ready();
    await execa('cat', ['/proc/self/maps']);
    const metrics = await daemon.settled();
    for (const family of [
      'mmaplock_proc_opens_total',
      'mmaplock_proc_reads_total',
      'mmaplock_proc_read_retries_total',
      'mmaplock_block_seconds_total',
    ])
      assert.equal(
        metrics.all(family).length > 0,
        (families as readonly string[]).includes(family),
        `${family} with --reads ${mode}`,
      );
    assert.equal(metrics.sum('mmaplock_observable', { what: 'reads' }), 0);
    assert.ok((metrics.sum('mmaplock_waits_total') ?? -1) >= 0);
    assert.equal(await daemon.stop(), 0);
  }
});
