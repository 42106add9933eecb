/** Reads as the daemon counts them, held against what each reader counted of itself. */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { after, before, describe, type TestContext, test } from 'node:test';
import { execa } from 'execa';
import { killLeftovers } from './support/children.js';
import { type RunningDaemon, startDaemon } from './support/daemon.js';
import { lacking } from './support/host.js';
import { assertReads, seenOf } from './support/reads.js';
import { type ProcReaderResult, runWorkload, type Workload, type WritersResult } from './support/workload.js';

const skip = lacking('root', 'tracing', 'bpftrace');

after(killLeftovers);

/** Readers of one busy target, each under its own name, all at once: they wait for the same two ticks. */
describe('readers under one daemon', { skip }, () => {
  let daemon: RunningDaemon;
  let target: Workload<WritersResult>;
  /** Nobody changes its address space. */
  let idle: Workload<WritersResult>;
  /** Has the maps of the idle one open before the daemon starts. */
  let earlier: Workload<ProcReaderResult>;

  before(async () => {
    idle = await runWorkload('writers', ['--vmas', '100'], { gate: true });
    await idle.ready;
    const args = ['--name', 'rd-before', '--open', 'once', '--passes', '200'];
    earlier = await runWorkload('proc-reader', ['maps', String(idle.pid), ...args], { gate: true });
    await earlier.ready;
    daemon = await startDaemon({ args: ['--log.level=debug'] });
    await daemon.ready();
    target = await runWorkload('writers', ['--threads', '2', '--vmas', '2000', '--seconds', '600']);
    await target.ready;
  });

  after(async () => {
    await Promise.all([target.stop(), idle.stop()]);
    assert.equal(await daemon.stop(), 0);
  });

  /** One reader of a busy target; gives what it counted and what the daemon saw of it. */
  const readBusyTarget = async (t: TestContext, file: string, name: string, args: readonly string[]) => {
    const reader = await runWorkload('proc-reader', [file, String(target.pid), '--name', name, ...args]);
    const truth = await reader.done;
    const metrics = await daemon.settled();
    const seen = seenOf(metrics, name, file);
    t.diagnostic(JSON.stringify({ name, file, truth: truth.reads, opens: truth.opens, seen }));
    assert.ok(truth.reads > 100, `${truth.reads} reads`);
    return { truth, seen, metrics };
  };

  describe('all at once', { concurrency: true }, () => {
    for (const [file, passes] of [
      ['smaps', '5'],
      ['smaps_rollup', '60'],
      ['numa_maps', '5'],
      ['pagemap', '20'],
      ['map_files', '60'],
    ] as const)
      test(`every read of ${file}`, async (t) => {
        const name = `rd-${file.slice(0, 10)}`;
        const { truth, seen, metrics } = await readBusyTarget(t, file, name, ['--passes', passes]);
        assertReads(metrics, seen.reads, truth.reads);
        assert.equal(seen.opens, truth.opens);
        assert.equal(seen.retries, 0, 'its read() takes the lock once: that is no retry');
      });

    for (const call of ['pread', 'readv', 'preadv', 'preadv2'])
      test(`every ${call}() counts as a read`, async (t) => {
        const args = ['--passes', '40', '--call', call];
        const { truth, seen, metrics } = await readBusyTarget(t, 'maps', `rd-${call}`, args);
        assertReads(metrics, seen.reads, truth.reads);
      });

    for (const [what, args] of [
      ['a descriptor inherited over fork', ['--passes', '5', '--open', 'inherit']],
      ['a descriptor inherited over fork and exec', ['--passes', '5', '--open', 'inherit', '--exec']],
      ['many threads of one process', ['--passes', '1', '--threads', '8']],
    ] as const)
      test(`every read through ${what}`, async (t) => {
        const name = `rd-${args.at(-1)?.replace('--', '')}`;
        const { truth, seen, metrics } = await readBusyTarget(t, 'smaps', name, args);
        assertReads(metrics, seen.reads, truth.reads);
        assert.equal(seen.opens, truth.opens);
      });

    test('a reader of its own maps: every read, and no retry, for its page faults are none', async (t) => {
      const args = ['maps', 'self', '--name', 'rd-self', '--passes', '3000'];
      const reader = await runWorkload('proc-reader', args);
      const truth = await reader.done;
      const metrics = await daemon.settled();
      const seen = seenOf(metrics, 'rd-self', 'maps');
      t.diagnostic(JSON.stringify({ truth: truth.reads, seen }));
      assertReads(metrics, seen.reads, truth.reads);
      assert.equal(seen.retries, 0);
      assert.equal(seen.waits, 0);
    });

    test('PROCMAP_QUERY: every query', {
      skip:
        release().localeCompare('6.11', undefined, { numeric: true }) < 0 && 'no PROCMAP_QUERY before 6.11',
    }, async (t) => {
      const { truth, seen, metrics } = await readBusyTarget(t, 'procmap_query', 'rd-query', [
        '--passes',
        '5',
      ]);
      assert.ok(truth.reads > 1000);
      assertReads(metrics, seen.reads, truth.reads);
    });

    test('clear_refs: its opens, and that writes to it are no reads', async (t) => {
      const { truth, seen } = await readBusyTarget(t, 'clear_refs', 'rd-clear', ['--passes', '300']);
      assert.equal(seen.opens, truth.opens);
      assert.equal(seen.reads, 0);
    });

    test('a descriptor that was open before the tracer started', async (t) => {
      await daemon.until('it has looked for open files', () =>
        daemon.log.some(({ msg }) => msg?.includes('open since before the tracer')),
      );
      earlier.release();
      const truth = await earlier.done;
      const metrics = await daemon.settled();
      const seen = seenOf(metrics, 'rd-before', 'maps');
      t.diagnostic(JSON.stringify({ truth: truth.reads, seen }));
      assert.ok(truth.reads > 100, `${truth.reads} reads`);
      assert.equal(seen.reads, truth.reads);
      assert.equal(seen.opens, 0, 'the open was before');
    });

    test('500 times cat in a loop from each of four shells: each read, by the name cat', async (t) => {
      const before = seenOf(await daemon.metrics(), 'cat', 'maps');
      const loop = 'i=0; while [ $i -lt 500 ]; do cat /proc/$0/maps >/dev/null; i=$((i+1)); done';
      await Promise.all(Array.from({ length: 4 }, () => execa('sh', ['-c', loop, String(idle.pid)])));
      // A pass takes as many reads as any other: the file did not change.
      const one = await runWorkload('proc-reader', [
        'maps',
        String(idle.pid),
        '--passes',
        '1',
        '--buffer',
        '131072',
      ]);
      const { reads } = await one.done;
      const metrics = await daemon.settled();
      const seen = seenOf(metrics, 'cat', 'maps');
      t.diagnostic(
        JSON.stringify({
          opens: seen.opens - before.opens,
          reads: seen.reads - before.reads,
          reads_each: reads,
        }),
      );
      assert.equal(seen.opens - before.opens, 2000);
      assertReads(metrics, seen.reads - before.reads, 2000 * reads);
      assert.equal(seen.retries - before.retries, 0, 'nobody changed the address space');
    });
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

test('--reads opens and --reads off: what is not looked at is not there', { skip }, async () => {
  const sees = async (mode: string, families: readonly string[]): Promise<void> => {
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
        families.includes(family),
        `${family} with --reads ${mode}`,
      );
    assert.equal(metrics.sum('mmaplock_observable', { what: 'reads' }), 0);
    assert.ok((metrics.sum('mmaplock_waits_total') ?? -1) >= 0);
    assert.equal(await daemon.stop(), 0);
  };
  await Promise.all([sees('opens', ['mmaplock_proc_opens_total']), sees('off', [])]);
});
