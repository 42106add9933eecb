/** However many names there are: series, memory and maps keep their bounds, and by name it is as much as in all. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { killLeftovers } from '../live/support/children.js';
import { type RunningDaemon, startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { runWorkload } from '../live/support/workload.js';
import { seriesCount } from '../support/exposition.js';
import { manyReaders, manyWaiters, total } from './support/bounded.js';
import { growth } from './support/crowds/reader-crowds.js';
import { assertEquations } from './support/equations.js';

const skip = lacking('root', 'tracing', 'bpftrace');
/** README's bound of an ordinary host. */
const usualSeries = 550;

after(killLeftovers);

describe('a daemon whose maps have 512 keys', { skip }, () => {
  let daemon: RunningDaemon;
  before(async () => {
    daemon = await startDaemon({ args: ['--limits.map-keys=512'] });
    await daemon.ready();
  });
  after(async () => assert.equal(await daemon.stop(), 0));

  test('700 names of readers: told, mended, and what has no name is in ~other', async (t) => {
    const distinct = 700;
    const target = await runWorkload('writers', ['--vmas', '100', '--seconds', '600'], { gate: true });
    await target.ready;
    const before = await daemon.settled();
    // All within a moment: while the tracer is started again, nobody would count them.
    const crowd = await runWorkload('reader-crowd', [
      ...['maps', String(target.pid), '--name', 'many', '--numbered'],
      ...['--parents', '4', '--each', String(distinct / 4)],
    ]);
    const truth = await crowd.done;
    assert.equal(truth.opens, distinct);
    assert.equal(truth.reads, distinct);

    const told = await daemon.until('the full map is counted', (now) =>
      ['reader_reads', 'reader_opens'].every(
        (map) => (now.sum('mmaplock_map_overflows_total', { map }) ?? 0) > 0,
      ),
    );
    assert.ok(
      daemon.log.some(({ msg, map }) => msg === 'a BPF map is full' && map === 'reader_reads'),
      'the log names the map',
    );
    // Once nobody waits for 5 s, or after 60 s. All is handed over before the maps are emptied.
    const mended = await daemon.until(
      'started again with empty maps',
      (now) =>
        now.sum('mmaplock_tracer_restarts_total', { reason: 'map_full' }) === 1 &&
        now.sum('mmaplock_tracer_up') === 1,
      120,
    );
    const many = (reader: string): boolean => reader.startsWith('many-');
    for (const what of ['opens', 'reads'] as const) {
      const { total, ours, others } = growth(before, mended, what, 'maps', many);
      const overflows = told.sum('mmaplock_map_overflows_total', { map: `reader_${what}` }) ?? 0;
      const other = mended.sum(`mmaplock_reader_${what}_total`, { file: 'maps', reader: '~other' }) ?? 0;
      t.diagnostic(JSON.stringify({ what, truth: truth[what], total, ours, others, other, overflows }));
      // Others on this host may read maps as well.
      assert.ok(total >= truth[what], `the bounded family lost some: ${total} of ${truth[what]}`);
      assert.equal(total, ours + others, 'it is the sum over the names');
      assert.ok(ours < truth[what], 'not all names have a series');
      assert.ok(other >= truth[what] - ours, 'what has no name of its own is in ~other');
    }
    await target.stop();
  });

  test('4,000 names of processes that wait', (t) => manyWaiters(t, daemon, 4000));
});

describe('one daemon, first little to do and then much', { skip }, () => {
  let daemon: RunningDaemon;
  before(async () => {
    daemon = await startDaemon();
    await daemon.ready();
  });
  after(async () => assert.equal(await daemon.stop(), 0));

  test('an ordinary load, as that of the demo, has fewer than 550 series', async (t) => {
    const writers = await runWorkload('writers', [
      '--vmas',
      '2000',
      '--seconds',
      '600',
      '--name',
      'wr-usual',
    ]);
    await writers.ready;
    const files = ['maps', 'smaps'];
    const readers = [];
    for (const file of files) {
      const name = ['--name', `rd-${file}`];
      readers.push(
        await runWorkload('proc-reader', [file, String(writers.pid), ...name, '--seconds', '600']),
      );
    }
    const metrics = await daemon.until('waits, reads and blocks of all of them', (now) =>
      files.every(
        (file) =>
          total(now, 'proc_reads', { file }) > 100 && (file === 'maps' || total(now, 'blocks', { file }) > 0),
      ),
    );
    for (const { stop } of [...readers, writers]) await stop();
    const held = assertEquations(await daemon.settled(), 'at the end');
    const series = seriesCount(metrics.text);
    t.diagnostic(JSON.stringify({ series, held }));
    assert.ok(held > 15, `only ${held} equations said something`);
    assert.ok(series < usualSeries, `${series} series, where fewer than ${usualSeries} are usual`);
  });

  test('1,500 names of readers of smaps, which block', (t) => manyReaders(t, daemon, 1500));
});
