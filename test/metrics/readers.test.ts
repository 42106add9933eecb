import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observables } from '../../src/vocabulary.js';
import { epoch, planOf } from '../support/daemon.js';
import { samplesOf, valueIn } from '../support/exposition.js';
import { procFileRow, readerRow, tick } from '../support/records.js';
import { busyDaemon, quietDaemon, silentDaemon } from '../support/scenes.js';

/** By file: the family, what it needs, and the files it has at 0 from the first scrape. */
const byFile = [
  [
    'proc_opens_total',
    'opens',
    ['maps', 'smaps', 'smaps_rollup', 'numa_maps', 'pagemap', 'clear_refs', 'map_files'],
  ],
  ['proc_reads_total', 'reads', ['maps', 'smaps', 'smaps_rollup', 'numa_maps', 'pagemap', 'procmap_query']],
  ['proc_read_retries_total', 'retries', ['maps', 'smaps', 'smaps_rollup', 'numa_maps', 'procmap_query']],
  ['proc_read_fallbacks_total', 'fallbacks', ['maps', 'smaps', 'numa_maps']],
  [
    'proc_read_waits_total',
    'blocks',
    [
      'maps',
      'smaps',
      'smaps_rollup',
      'numa_maps',
      'pagemap',
      'clear_refs',
      'procmap_query',
      'remote',
      'map_files',
    ],
  ],
] as const;
const seconds = 'proc_read_wait_seconds_total';

const byReader = [
  ['reader_opens_total', 'opens', 'proc_opens_total'],
  ['reader_reads_total', 'reads', 'proc_reads_total'],
  ['reader_retries_total', 'retries', 'proc_read_retries_total'],
  ['reader_fallbacks_total', 'fallbacks', 'proc_read_fallbacks_total'],
  ['reader_waits_total', 'blocks', 'proc_read_waits_total'],
  ['reader_wait_seconds_total', 'blocks', 'proc_read_wait_seconds_total'],
] as const;

const filesIn = (text: string, family: string): string[] =>
  [...new Set(samplesOf(text, `mmaplock_${family}`).map(({ labels }) => labels.file as string))].sort();

test('before the first tick no reader family has samples: nothing was looked at', async () => {
  const daemon = silentDaemon();
  const before = await daemon.text();
  daemon.apply({ kind: 'tracer_started', at: epoch });
  for (const text of [before, await daemon.text()])
    for (const family of [...byFile.map(([name]) => name), seconds, ...byReader.map(([name]) => name)])
      assert.deepEqual(samplesOf(text, `mmaplock_${family}`), [], family);
});

test('from the first tick on each family is there at 0 for the files that can occur, and for no other', async () => {
  const text = await quietDaemon().text();
  for (const [family, , files] of byFile) {
    assert.deepEqual(filesIn(text, family), [...files].sort(), family);
    for (const { value } of samplesOf(text, `mmaplock_${family}`)) assert.equal(value, 0);
  }
  assert.deepEqual(filesIn(text, seconds), filesIn(text, 'proc_read_waits_total'));
  for (const [family, , of] of byReader) {
    assert.deepEqual(filesIn(text, family), filesIn(text, of), family);
    for (const { labels, value } of samplesOf(text, `mmaplock_${family}`))
      assert.deepEqual([labels.reader, value], ['~other', 0], family);
  }
});

for (const what of ['opens', 'reads', 'retries', 'fallbacks', 'blocks'] as const)
  test(`without ${what} just the families that need them are absent, never 0`, async () => {
    const others = observables.filter((each) => each !== what);
    const text = await busyDaemon({ plan: planOf(others) }).text();
    for (const [family, needs] of [...byFile, [seconds, 'blocks'] as const, ...byReader])
      assert.equal(samplesOf(text, `mmaplock_${family}`).length === 0, needs === what, family);
  });

test('procmap_query is there at 0 only where a fragment looks for it', async () => {
  const plan = planOf();
  const chosen = plan.chosen.filter(({ fragment }) => fragment.name !== 'procmap-query');
  assert.equal(chosen.length, plan.chosen.length - 1);
  const text = await quietDaemon({ plan: { ...plan, chosen } }).text();
  for (const [family, , files] of byFile)
    assert.deepEqual(filesIn(text, family), files.filter((file) => file !== 'procmap_query').sort(), family);
});

test('what was counted is shown although it was not foreseen', async () => {
  const daemon = quietDaemon();
  daemon.apply(
    tick(epoch + 2000, {
      procFiles: [procFileRow('remote', { reads: 5 })],
      readers: [readerRow('ps', 'remote', { reads: 5 })],
    }),
  );
  const text = await daemon.text();
  assert.equal(valueIn(text, 'mmaplock_proc_reads_total', { file: 'remote' }), 5);
  assert.equal(valueIn(text, 'mmaplock_reader_reads_total', { file: 'remote', reader: 'ps' }), 5);
  assert.deepEqual(samplesOf(text, 'mmaplock_proc_opens_total', { file: 'remote' }), []);
});

test('over all readers of a file the counts are those of the file', async () => {
  const daemon = busyDaemon();
  // Of these only some have a name: the other rows were left out.
  daemon.apply(
    tick(epoch + 6000, {
      procFiles: [
        procFileRow('maps', {
          opens: 100,
          reads: 500,
          retries: 9,
          fallbacks: 3,
          waits: 2,
          waitNanoseconds: 700,
        }),
      ],
      readers: [
        readerRow('cat', 'maps', {
          opens: 80,
          reads: 400,
          retries: 9,
          fallbacks: 1,
          waits: 1,
          waitNanoseconds: 300,
        }),
      ],
    }),
  );
  const text = await daemon.text();
  for (const [family, , of] of byReader)
    for (const { labels, value } of samplesOf(text, `mmaplock_${of}`)) {
      const sum = samplesOf(text, `mmaplock_${family}`, { file: labels.file! }).reduce(
        (total, sample) => total + sample.value,
        0,
      );
      assert.ok(Math.abs(sum - value) < 1e-12, `${family} ${labels.file}: ${sum}, not ${value}`);
    }
  assert.ok(valueIn(text, 'mmaplock_reader_reads_total', { file: 'maps', reader: '~other' }) >= 97);
});

test('the totals stand while the tracer is down, and go on where they were', async () => {
  const daemon = busyDaemon();
  daemon.apply({ kind: 'tracer_stopped', at: epoch + 6000, reason: 'exited', handedOver: true });
  assert.equal(valueIn(await daemon.text(), 'mmaplock_proc_reads_total', { file: 'maps' }), 33);
  daemon.apply(
    { kind: 'tracer_started', at: epoch + 7000 },
    tick(epoch + 7000, {
      procFiles: [procFileRow('maps', { reads: 7 })],
      readers: [readerRow('cat', 'maps', { reads: 7 })],
    }),
  );
  const text = await daemon.text();
  assert.equal(valueIn(text, 'mmaplock_proc_reads_total', { file: 'maps' }), 40);
  assert.equal(valueIn(text, 'mmaplock_reader_reads_total', { file: 'maps', reader: 'cat' }), 40);
});

test('what was shed is absent, and resumes its total', async () => {
  const daemon = busyDaemon();
  const observed = daemon.plan;
  daemon.plan = planOf(['waits', 'operations', 'opens', 'reads', 'blocks']);
  assert.deepEqual(samplesOf(await daemon.text(), 'mmaplock_reader_retries_total'), []);
  daemon.plan = observed;
  assert.equal(valueIn(await daemon.text(), 'mmaplock_proc_read_retries_total', { file: 'maps' }), 4);
});
