import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameFromBytes } from '../../src/identity/comm.js';
import { waitPairs } from '../../src/vocabulary.js';
import { epoch, planOf } from '../support/daemon.js';
import { parseExposition, samplesOf, valueIn } from '../support/exposition.js';
import { ongoingWait, processRow, tick, waitRow } from '../support/records.js';
import { busyDaemon, quietDaemon, silentDaemon } from '../support/scenes.js';

const bounded = [
  'mmaplock_waits_total',
  'mmaplock_wait_seconds_total',
  'mmaplock_wait_duration_seconds',
  'mmaplock_oldest_wait_seconds',
  'mmaplock_process_waits_total',
  'mmaplock_process_wait_seconds_total',
];

test('before the first tick the wait families have no samples: nothing was looked at', async () => {
  const daemon = silentDaemon();
  const before = await daemon.text();
  daemon.apply({ kind: 'tracer_started', at: epoch });
  const started = await daemon.text();
  for (const family of bounded) {
    assert.deepEqual(samplesOf(before, family), []);
    assert.deepEqual(samplesOf(started, family), []);
  }
});

test('from the first tick on every pair of mode and operation is there at 0', async () => {
  const text = await quietDaemon().text();
  for (const family of ['mmaplock_waits_total', 'mmaplock_wait_seconds_total']) {
    assert.equal(samplesOf(text, family).length, waitPairs.length);
    for (const [mode, operation] of waitPairs) assert.equal(valueIn(text, family, { mode, operation }), 0);
  }
  for (const mode of ['read', 'write']) {
    assert.equal(valueIn(text, 'mmaplock_oldest_wait_seconds', { mode }), 0);
    assert.equal(valueIn(text, 'mmaplock_process_waits_total', { mode, process: '~other' }), 0);
    assert.equal(valueIn(text, 'mmaplock_process_wait_seconds_total', { mode, process: '~other' }), 0);
    for (const { value } of samplesOf(text, 'mmaplock_wait_duration_seconds', { mode }))
      assert.equal(value, 0);
  }
});

test('waits that the plan does not observe are absent although a tracer ticks', async () => {
  const text = await quietDaemon({ plan: planOf([]) }).text();
  for (const family of bounded) assert.deepEqual(samplesOf(text, family), []);
  assert.equal(valueIn(text, 'mmaplock_observable', { what: 'waits' }), 0);
});

test('waits keep their totals while the tracer is down', async () => {
  const daemon = busyDaemon();
  daemon.apply({ kind: 'tracer_stopped', at: epoch + 6000, reason: 'exited', handedOver: true });
  const text = await daemon.text();
  assert.equal(valueIn(text, 'mmaplock_waits_total', { mode: 'write', operation: 'munmap' }), 2);
  assert.equal(valueIn(text, 'mmaplock_oldest_wait_seconds', { mode: 'read' }), 0);
});

test('a pair that was not foreseen is counted all the same', async () => {
  const daemon = quietDaemon();
  daemon.apply(tick(epoch + 2000, { waits: [waitRow('write', 'proc_read', 1, 1000)] }));
  assert.equal(
    valueIn(await daemon.text(), 'mmaplock_waits_total', { mode: 'write', operation: 'proc_read' }),
    1,
  );
});

test('the oldest wait is that of the last tick, by mode', async () => {
  const daemon = busyDaemon();
  assert.equal(valueIn(await daemon.text(), 'mmaplock_oldest_wait_seconds', { mode: 'read' }), 1.75);
  assert.equal(valueIn(await daemon.text(), 'mmaplock_oldest_wait_seconds', { mode: 'write' }), 0);
  daemon.apply(tick(epoch + 6000, { ongoing: [ongoingWait('write', 'mmap', 12.5)] }));
  assert.equal(valueIn(await daemon.text(), 'mmaplock_oldest_wait_seconds', { mode: 'read' }), 0);
  assert.equal(valueIn(await daemon.text(), 'mmaplock_oldest_wait_seconds', { mode: 'write' }), 12.5);
});

test('buckets are cumulative powers of two from 16 us to 134 s, and the last is the count', async () => {
  const text = await busyDaemon().text();
  const family = parseExposition(text).get('mmaplock_wait_duration_seconds')!;
  const bounds = [...Array.from({ length: 24 }, (_, exponent) => (16 * 2 ** exponent) / 1e6), Infinity];
  for (const mode of ['read', 'write']) {
    const of = (suffix: string) =>
      family.samples.filter(({ name, labels }) => name.endsWith(suffix) && labels.mode === mode);
    const buckets = of('_bucket');
    assert.deepEqual(
      buckets.map(({ labels }) => (labels.le === '+Inf' ? Infinity : Number(labels.le))),
      bounds,
    );
    assert.equal(bounds[0], 1.6e-5);
    assert.equal(bounds.at(-2), 134.217728);
    for (const [index, { value }] of buckets.entries())
      assert.ok(value >= (buckets[index - 1]?.value ?? 0), `bucket ${index} of ${mode} is cumulative`);
    assert.equal(of('_count')[0]!.value, buckets.at(-1)!.value);
  }
  const bucket = (mode: string, le: string) =>
    family.samples.find(({ labels }) => labels.mode === mode && labels.le === le)!.value;
  assert.equal(bucket('read', '0.000016'), 0);
  assert.equal(bucket('read', '0.000032'), 3);
  assert.equal(bucket('write', '0.002048'), 0);
  assert.equal(bucket('write', '0.004096'), 2);
  assert.equal(bucket('write', '134.217728'), 2, 'a wait of 268 s lies beyond the last bound');
  assert.equal(bucket('write', '+Inf'), 3);
});

test('hostile names come back from the text as they went in, each a series of its own', async () => {
  const bytes = [
    'a"b',
    'a\\b',
    'a\nb',
    '"',
    '\\',
    '\\n',
    'a{b="c"} 1',
    '~other',
    '',
    'x,y=z',
    '\x1b[31m',
    '#HELP',
  ];
  const names = [
    ...bytes.map((name) => nameFromBytes(Buffer.from(name))),
    nameFromBytes(Buffer.from([0xff, 0x80])),
  ];
  const daemon = quietDaemon();
  daemon.apply(
    tick(epoch + 2000, {
      waits: [waitRow('write', 'mmap', names.length, names.length * 1000)],
      processes: names.map((name) => processRow(name, 'write', 1, 1000)),
    }),
  );
  const text = await daemon.text();
  for (const process of names)
    assert.equal(valueIn(text, 'mmaplock_process_waits_total', { process, mode: 'write' }), 1, process);
  assert.equal(valueIn(text, 'mmaplock_process_waits_total', { process: '~other', mode: 'write' }), 0);
});

test('names come in any language, and a raw line feed cannot break a line of the text', async () => {
  const daemon = quietDaemon();
  const names = ['naïve', '日本語', 'raw\nline "x" \\'];
  daemon.apply(
    tick(epoch + 2000, {
      waits: [waitRow('read', 'page_fault', 3, 3000)],
      processes: names.map((name) => processRow(name, 'read', 1, 1000)),
    }),
  );
  const text = await daemon.text();
  for (const process of names)
    assert.equal(valueIn(text, 'mmaplock_process_waits_total', { process, mode: 'read' }), 1);
});
