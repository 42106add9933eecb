/** Readers that live for one read: they come and go between two ticks, and each must be counted. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type Metrics, startDaemon } from '../../../live/support/daemon.js';
import { runWorkload } from '../../../live/support/workload.js';
import { missedReads } from '../misses.js';

/** Of each of the two files. */
const parents = 4;

/** The growth of all names in a family, those of a test apart. */
export const growth = (
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

/** As many readers of maps and of smaps, made by four parents each, all at once: opens and reads are exact. */
export const crowdsOfReaders = async (t: TestContext, each: number): Promise<void> => {
  const files = ['maps', 'smaps'] as const;
  const name = 'one-read';
  const target = await runWorkload('writers', ['--vmas', '100', '--seconds', '600'], { gate: true });
  await target.ready;
  const daemon = await startDaemon();
  await daemon.ready(60);
  const before = await daemon.settled();
  const crowds = await Promise.all(
    files.map((file) => {
      const args = [
        file,
        String(target.pid),
        '--name',
        name,
        '--parents',
        String(parents),
        '--each',
        String(each),
      ];
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
    assert.equal(truth.reads, parents * each);
    // A probe that the kernel skipped is counted, and only so much may be missing.
    assert.ok(opens.ours <= truth.opens && opens.ours >= truth.opens - misses, `${opens.ours} opens`);
    assert.ok(reads.ours <= truth.reads && reads.ours >= truth.reads - misses, `${reads.ours} reads`);
    assert.equal(reads.total, reads.ours + reads.others, 'the bounded family is the sum over the names');
    assert.equal(opens.total, opens.ours + opens.others);
  }
  assert.equal(await daemon.stop(), 0);
};
