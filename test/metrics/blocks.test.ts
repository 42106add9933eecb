import assert from 'node:assert/strict';
import { test } from 'node:test';
import { procFiles, unknown } from '../../src/vocabulary.js';
import { epoch, planOf } from '../support/daemon.js';
import { samplesOf } from '../support/exposition.js';
import { blockRow, procFileRow, readerBlockRow, tick, unblockedRow, waitRow } from '../support/records.js';
import { busyDaemon, quietDaemon, silentDaemon } from '../support/scenes.js';

const families = [
  'mmaplock_blocks_total',
  'mmaplock_block_seconds_total',
  'mmaplock_block_duration_seconds',
  'mmaplock_reader_blocks_total',
  'mmaplock_reader_block_seconds_total',
  'mmaplock_unblocked_waits_total',
  'mmaplock_unblocked_wait_seconds_total',
];

/** The sum of a family, in whole nanoseconds. */
const nanosecondsOf = (text: string, family: string, labels: Record<string, string> = {}): number =>
  samplesOf(text, family, labels).reduce((sum, { value }) => sum + Math.round(value * 1e9), 0);

test('before the first tick, and where blocks are not observed, all block families are absent', async () => {
  const daemon = silentDaemon();
  daemon.apply({ kind: 'tracer_started', at: epoch });
  const silent = await daemon.text();
  const blind = await busyDaemon({ plan: planOf(['waits', 'operations', 'opens', 'reads']) }).text();
  for (const family of families) {
    assert.deepEqual(samplesOf(silent, family), [], family);
    assert.deepEqual(samplesOf(blind, family), [], family);
  }
});

test('from the first tick on every file whose reader can block, ~unknown, and every mode is there at 0', async () => {
  const text = await quietDaemon().text();
  // Of remote access only the waits are traced, not the holds.
  const files = [...procFiles.filter((file) => file !== 'remote'), unknown];
  for (const family of families.slice(0, 2))
    assert.deepEqual(
      samplesOf(text, family)
        .map(({ labels, value }) => [labels.file, value])
        .sort(),
      files.map((file) => [file, 0]).sort(),
    );
  for (const family of families.slice(5))
    assert.deepEqual(
      samplesOf(text, family).map(({ labels, value }) => [labels.mode, value]),
      [
        ['read', 0],
        ['write', 0],
      ],
    );
});

test('durations are there at 0 for ~unknown, and for a file once somebody opened, read or waited for it', async () => {
  const daemon = quietDaemon();
  const files = async () => {
    const samples = samplesOf(await daemon.text(), 'mmaplock_block_duration_seconds');
    assert.ok(samples.every(({ value }) => value === 0));
    return [...new Set(samples.map(({ labels }) => labels.file))];
  };
  assert.deepEqual(await files(), [unknown]);
  daemon.apply(
    tick(epoch + 2000, {
      procFiles: [
        procFileRow('pagemap', { opens: 1 }),
        procFileRow('maps', { reads: 1 }),
        procFileRow('smaps', { waits: 1 }),
        procFileRow('remote', { waits: 1 }),
      ],
    }),
  );
  assert.deepEqual(await files(), ['maps', 'smaps', 'pagemap', unknown], 'remote access blocks nobody');
});

test('procmap_query is there at 0 only where a fragment sees when it ends', async () => {
  const plan = planOf();
  const chosen = plan.chosen.filter(({ fragment }) => fragment.name !== 'procmap-query');
  const text = await quietDaemon({ plan: { ...plan, chosen } }).text();
  for (const family of families.slice(0, 2)) {
    assert.deepEqual(samplesOf(text, family, { file: 'procmap_query' }), []);
    assert.ok(samplesOf(text, family, { file: 'smaps' }).length > 0);
  }
});

test('block seconds and unblocked seconds are all wait seconds, and readers and victims are all of a file', async () => {
  const daemon = busyDaemon();
  const balanced = async (): Promise<string> => {
    const text = await daemon.text();
    assert.equal(
      nanosecondsOf(text, 'mmaplock_block_seconds_total') +
        nanosecondsOf(text, 'mmaplock_unblocked_wait_seconds_total'),
      nanosecondsOf(text, 'mmaplock_wait_seconds_total'),
    );
    for (const { labels } of samplesOf(text, 'mmaplock_blocks_total'))
      assert.equal(
        nanosecondsOf(text, 'mmaplock_reader_block_seconds_total', { file: labels.file! }),
        nanosecondsOf(text, 'mmaplock_block_seconds_total', { file: labels.file! }),
        labels.file,
      );
    return text;
  };
  await balanced();
  // Blocks can be ahead of the waits they are of by what happened between two maps being printed...
  const waited = 2 ** 28 * 1000;
  daemon.apply(
    tick(epoch + 6000, {
      waits: [waitRow('write', 'mmap', 2, waited + 1000)],
      blocks: [blockRow('numa_maps', 2, 3000)],
      readerBlocks: [readerBlockRow('numastat', 'qemu', 'numa_maps', 2, 3000)],
      unblocked: [unblockedRow('write', 1, waited)],
    }),
  );
  assert.equal(
    nanosecondsOf(await balanced(), 'mmaplock_block_seconds_total', { file: 'numa_maps' }),
    1000,
    'what is ahead waits for its waits',
  );
  // ... and behind by what did not fit in a full map.
  daemon.apply(
    tick(epoch + 7000, {
      waits: [waitRow('write', 'mmap', 5, waited + 10_000)],
      blocks: [blockRow('numa_maps', 2, 3000)],
      readerBlocks: [readerBlockRow('numastat', 'qemu', 'numa_maps', 2, 3000)],
      unblocked: [unblockedRow('write', 1, waited)],
    }),
  );
  const text = await balanced();
  assert.equal(nanosecondsOf(text, 'mmaplock_block_seconds_total', { file: 'numa_maps' }), 3000);
  assert.equal(nanosecondsOf(text, 'mmaplock_block_seconds_total', { file: unknown }), 507_000);
});
