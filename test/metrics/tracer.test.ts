import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blindReasons, observables, restartReasons } from '../../src/vocabulary.js';
import { epoch, FakeDaemon, planOf } from '../support/daemon.js';
import { samplesOf, valueIn } from '../support/exposition.js';
import { tick } from '../support/records.js';
import { busyDaemon, quietDaemon, silentDaemon } from '../support/scenes.js';

test('observable is 1 only for what is planned, and only once a tick has come', async () => {
  const daemon = silentDaemon({ plan: planOf(['waits', 'operations']) });
  const values = async () =>
    Object.fromEntries(
      samplesOf(await daemon.text(), 'mmaplock_observable').map(({ labels, value }) => [labels.what, value]),
    );
  const none = Object.fromEntries(observables.map((what) => [what, 0]));
  assert.deepEqual(await values(), none);
  daemon.apply({ kind: 'tracer_started', at: epoch }, tick(epoch));
  assert.deepEqual(await values(), { ...none, waits: 1, operations: 1 });
});

test('the source of each thing observed is named, and of nothing else', async () => {
  const text = await quietDaemon({ plan: planOf(['waits']) }).text();
  assert.deepEqual(
    samplesOf(text, 'mmaplock_source_info').map(({ labels, value }) => [labels, value]),
    [[{ what: 'waits', source: 'waits' }, 1]],
  );
});

test('restarts and blind seconds are there at 0 for every reason before anything happened', async () => {
  const text = await silentDaemon().text();
  for (const [family, reasons] of [
    ['mmaplock_tracer_restarts_total', restartReasons],
    ['mmaplock_blind_seconds_total', blindReasons],
  ] as const)
    assert.deepEqual(
      samplesOf(text, family).map(({ labels, value }) => [labels.reason, value]),
      reasons.map((reason) => [reason, 0]),
    );
});

test('where nothing is to be observed, blind seconds say so from the start, and no tracer has ended', async () => {
  const daemon = silentDaemon();
  daemon.ledger.tracer.switchedOff(epoch);
  daemon.now = epoch + 5000;
  const text = await daemon.text();
  assert.deepEqual(
    samplesOf(text, 'mmaplock_blind_seconds_total')
      .filter(({ value }) => value > 0)
      .map(({ labels, value }) => [labels.reason, value]),
    [['switched_off', 5]],
  );
  assert.ok(samplesOf(text, 'mmaplock_tracer_restarts_total').every(({ value }) => value === 0));
});

test('blind seconds grow while the tracer is down, and stand once it is up', async () => {
  const daemon = quietDaemon();
  const blind = async () =>
    valueIn(await daemon.text(), 'mmaplock_blind_seconds_total', { reason: 'killed' });
  const up = async () => valueIn(await daemon.text(), 'mmaplock_tracer_up');
  assert.equal(await up(), 1);
  // The last tick came at 1000: what followed it was not handed over.
  daemon.apply({ kind: 'tracer_stopped', at: epoch + 1400, reason: 'killed', handedOver: false });
  assert.equal(await up(), 0);
  daemon.now = epoch + 3000;
  assert.equal(await blind(), 2);
  daemon.now = epoch + 13_000;
  assert.equal(await blind(), 12);
  daemon.apply({ kind: 'tracer_started', at: epoch + 14_000 }, tick(epoch + 14_000));
  assert.equal(await blind(), 13);
  daemon.now = epoch + 60_000;
  assert.equal(await blind(), 13);
  assert.equal(await up(), 1);
  assert.equal(valueIn(await daemon.text(), 'mmaplock_tracer_restarts_total', { reason: 'killed' }), 1);
});

test('without a tick for a second the text is rendered anew all the same: blind seconds must not stand', async () => {
  const daemon = quietDaemon();
  daemon.apply({ kind: 'tracer_stopped', at: epoch + 2000, reason: 'missing', handedOver: true });
  const blind = async () =>
    valueIn((await daemon.metrics.current()).text, 'mmaplock_blind_seconds_total', { reason: 'missing' });
  daemon.now = epoch + 5000;
  assert.equal(await blind(), 3);
  daemon.now = epoch + 9000;
  assert.equal(await blind(), 7);
});

test('the time of the last tick is in seconds, and absent before the first', async () => {
  assert.deepEqual(samplesOf(await silentDaemon().text(), 'mmaplock_last_tick_timestamp_seconds'), []);
  const daemon = quietDaemon().apply(tick(epoch + 2500));
  assert.equal(valueIn(await daemon.text(), 'mmaplock_last_tick_timestamp_seconds'), (epoch + 2500) / 1000);
});

test('memory of the tracer is absent while none runs; its CPU time stays', async () => {
  const daemon = busyDaemon();
  const running = await daemon.text();
  assert.equal(valueIn(running, 'mmaplock_tracer_resident_memory_bytes'), 157_286_400);
  assert.equal(valueIn(running, 'mmaplock_tracer_map_memory_bytes'), 4_194_304);
  daemon.cost = { ...daemon.cost, residentBytes: undefined, mapBytes: undefined };
  const ended = await daemon.text();
  assert.deepEqual(samplesOf(ended, 'mmaplock_tracer_resident_memory_bytes'), []);
  assert.deepEqual(samplesOf(ended, 'mmaplock_tracer_map_memory_bytes'), []);
  assert.equal(valueIn(ended, 'mmaplock_tracer_cpu_seconds_total'), 1.5);
});

test('the seconds of inspect mode are there from 0, and grow with it', async () => {
  const inspector = { running: false, seconds: 0, inspect: () => Promise.reject(new Error('not here')) };
  const daemon = silentDaemon({ inspector });
  const seconds = async () => valueIn(await daemon.text(), 'mmaplock_inspect_seconds_total');
  assert.equal(await seconds(), 0);
  inspector.seconds = 9.5;
  assert.equal(await seconds(), 9.5);
});

test('every loss is counted', async () => {
  const text = await busyDaemon().text();
  assert.equal(valueIn(text, 'mmaplock_lost_events_total'), 7 + 2);
  assert.equal(valueIn(text, 'mmaplock_lost_updates_total', { reason: 'busy' }), 2);
  assert.equal(valueIn(text, 'mmaplock_lost_updates_total', { reason: 'deadlock' }), 0);
  assert.equal(valueIn(text, 'mmaplock_decode_errors_total'), 1);
  assert.equal(valueIn(text, 'mmaplock_map_overflows_total', { map: 'process_waits' }), 5);
  const probe = 'tracepoint:lock:contention_begin';
  assert.equal(valueIn(text, 'mmaplock_probe_misses_total', { probe }), 3);
  assert.equal(valueIn(text, 'mmaplock_series_folded_total', { family: 'process_waits' }), 0);
});

test('versions and kernel are told; a bpftrace that was not found is "none"', async () => {
  const info = async (daemon: FakeDaemon) => samplesOf(await daemon.text(), 'mmaplock_build_info')[0]!;
  const node = process.versions.node;
  assert.deepEqual((await info(quietDaemon())).labels, { version: '1.2.3', node, bpftrace: '0.17.0' });
  assert.deepEqual((await info(silentDaemon())).labels, { version: '1.2.3', node, bpftrace: 'none' });
  const text = await new FakeDaemon().text();
  assert.equal(valueIn(text, 'mmaplock_kernel_info', { release: '6.1.0-test-amd64' }), 1);
});
