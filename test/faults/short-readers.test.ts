/** Readers that live for one read: they come and go between two ticks, and each must be counted. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { killLeftovers } from '../live/support/children.js';
import { type Metrics, startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { runWorkload } from '../live/support/workload.js';
import { missedReads } from './support/misses.js';

const skip = lacking('root', 'tracing', 'bpftrace');

afterEach(killLeftovers);

/** The growth of all names in a family, those of a test apart. */
const growth = (
  before: Metrics,
  after: Metrics,
  what: string,
  file: string,
  ours: (name: string) => boolean,
) => {
  const sum = (metrics: Metrics, own: boolean): number =>
    metrics
      .all(`mmaplock_reader_${what}_total`, { file })
      .filter(({ labels }) => ours(labels.reader ?? '') === own)
      .reduce((total, { value }) => total + value, 0);
  const total = (metrics: Metrics): number => metrics.sum(`mmaplock_proc_${what}_total`, { file }) ?? 0;
  return {
    total: total(after) - total(before),
    ours: sum(after, true) - sum(before, true),
    others: sum(after, false) - sum(before, false),
  };
};

test('20,000 readers that each live for one read, from 8 parents at once: exact', { skip }, async (t) => {
  const files = ['maps', 'smaps'] as const;
  const name = 'one-read';
  const target = await runWorkload('writers', ['--vmas', '100', '--seconds', '300'], { gate: true });
  await target.ready;
  const daemon = await startDaemon();
  await daemon.ready(60);
  const before = await daemon.settled();
  const crowds = await Promise.all(
    files.map((file) => {
      const args = [file, String(target.pid), '--name', name, '--parents', '4', '--each', '2500'];
      return runWorkload('reader-crowd', args);
    }),
  );
  const truths = await Promise.all(crowds.map(({ done }) => done));
  await target.stop();
  const after = await daemon.settled();

  const misses = missedReads(after) - missedReads(before);
  for (const [index, file] of files.entries()) {
    const truth = truths[index]!;
    const opens = growth(before, after, 'opens', file, (reader) => reader === name);
    const reads = growth(before, after, 'reads', file, (reader) => reader === name);
    t.diagnostic(JSON.stringify({ file, truth, opens, reads, misses }));
    assert.equal(truth.reads, 10_000);
    // A probe that the kernel skipped is counted, and only so much may be missing.
    assert.ok(opens.ours <= truth.opens && opens.ours >= truth.opens - misses, `${opens.ours} opens`);
    assert.ok(reads.ours <= truth.reads && reads.ours >= truth.reads - misses, `${reads.ours} reads`);
    assert.equal(reads.total, reads.ours + reads.others, 'the bounded family is the sum over the names');
    assert.equal(opens.total, opens.ours + opens.others);
  }
  assert.equal(await daemon.stop(), 0);
});

test('more names of readers than a map has keys: told, mended, and what has no name is in ~other', {
  skip,
}, async (t) => {
  const keys = 512;
  const distinct = 700;
  const target = await runWorkload('writers', ['--vmas', '100', '--seconds', '300'], { gate: true });
  await target.ready;
  const daemon = await startDaemon({ args: [`--limits.map-keys=${keys}`] });
  await daemon.ready(60);
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
  // All is handed over before the maps are emptied.
  const mended = await daemon.until(
    'started again with empty maps',
    (now) =>
      now.sum('mmaplock_tracer_restarts_total', { reason: 'map_full' }) === 1 &&
      now.sum('mmaplock_tracer_up') === 1,
    60,
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
  assert.equal(await daemon.stop(), 0);
  await target.stop();
});
