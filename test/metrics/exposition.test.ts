import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { waitPairs } from '../../src/vocabulary.js';
import { epoch, type FakeDaemon } from '../support/daemon.js';
import { parseExposition, samplesOf, seriesCount, valueIn } from '../support/exposition.js';
import { processRow, tick, waitRow } from '../support/records.js';
import { busyDaemon, quietDaemon, silentDaemon } from '../support/scenes.js';
import { contract } from './contract.js';

// seen from the built test, dist/test/metrics
const golden = new URL('../../../test/metrics/golden.prom', import.meta.url);

const own = (text: string) =>
  [...parseExposition(text).values()].filter(({ name }) => /^mmaplock_/.test(name));

/** 10,000 hostile names wait once; then the last 600 of them wait again, which earns names their own series. */
const flood = (daemon: FakeDaemon): FakeDaemon => {
  const rows = Array.from({ length: 10_000 }, (_, index) =>
    processRow(`"\\{${index}}`, index % 2 === 0 ? 'read' : 'write', 1, 20_000_000, {
      cgroupId: String(index),
    }),
  );
  const totals = (count: number) => [
    waitRow('read', 'page_fault', count, count * 20_000_000),
    waitRow('write', 'mmap', count, count * 20_000_000),
  ];
  return daemon.apply(
    tick(epoch + 2000, { waits: totals(5000), processes: rows }),
    tick(epoch + 3000, {
      waits: totals(5300),
      processes: rows.slice(-600).map((row) => ({ ...row, count: 2, nanoseconds: 40_000_000 })),
    }),
  );
};

test('every family of the contract is there with its type, help and labels, and no other', async () => {
  const families = own(await busyDaemon().text());
  assert.deepEqual(families.map(({ name }) => name).sort(), Object.keys(contract).sort());
  for (const { name, type, help, samples } of families) {
    assert.equal(type, contract[name]!.type, name);
    assert.ok(help.length > 10, `${name} has a help`);
    assert.ok(samples.length > 0, `${name} has samples on a busy host`);
    for (const { labels, series } of samples)
      assert.deepEqual(
        Object.keys(labels)
          .filter((label) => type !== 'histogram' || label !== 'le')
          .sort(),
        contract[name]!.labels,
        series,
      );
  }
});

test('of the default metrics only those of the process and the lag of the event loop are there', async () => {
  const names = [...parseExposition(await quietDaemon().text()).keys()].filter(
    (name) => !/^mmaplock_/.test(name),
  );
  for (const name of names) assert.match(name, /^(process_\w+|nodejs_eventloop_lag_(p99_)?seconds)$/);
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'process_start_time_seconds',
  ])
    assert.ok(names.includes(name), name);
  assert.ok(names.includes('nodejs_eventloop_lag_seconds'));
});

test('the exposition of a small fixed state is the golden one', async () => {
  const text = (await busyDaemon().text())
    .split('\n\n')
    .filter((family) => /^# HELP mmaplock_/.test(family))
    .join('\n\n')
    .replaceAll(`node="${process.versions.node}"`, 'node="20.19.0"');
  assert.equal(
    `${text}\n`,
    readFileSync(golden, 'utf8'),
    'the exposition changed: if that is meant, correct test/metrics/golden.prom',
  );
});

test('a plain host has under 500 series', async () => {
  const daemon = quietDaemon();
  const names = Array.from({ length: 12 }, (_, index) => `service-${index}`);
  daemon.apply(
    tick(epoch + 2000, {
      waits: waitPairs.map(([mode, operation]) => waitRow(mode, operation, 12, 12_000)),
      processes: names.flatMap((name) => [
        processRow(name, 'read', 1, 1000),
        processRow(name, 'write', 1, 1000),
      ]),
    }),
  );
  const text = await daemon.text();
  assert.equal(samplesOf(text, 'mmaplock_process_waits_total').length, 26, 'all names have their own series');
  assert.ok(seriesCount(text) < 500, `${seriesCount(text)} series`);
});

for (const [slots, most] of [
  [50, 500],
  [500, 1500],
] as const)
  test(`10,000 hostile names stay under ${most} series with ${slots} slots, and nothing is lost`, async () => {
    const daemon = flood(quietDaemon({ flags: { 'metrics.process_slots': slots } }));
    const text = await daemon.text();
    assert.ok(seriesCount(text) <= most, `${seriesCount(text)} series`);
    assert.equal(samplesOf(text, 'mmaplock_process_waits_total').length, slots + 2);
    for (const mode of ['read', 'write'])
      assert.equal(
        samplesOf(text, 'mmaplock_process_waits_total', { mode }).reduce((sum, { value }) => sum + value, 0),
        5300,
      );
    assert.ok(valueIn(text, 'mmaplock_series_folded_total', { family: 'process_waits' }) >= 10_000 - slots);
  });

test('within a tick everybody gets the same rendering; a tick makes a new one', async () => {
  const daemon = quietDaemon();
  const first = daemon.metrics.current();
  assert.equal(daemon.metrics.current(), first, 'two scrapes at once share one rendering');
  daemon.now += 900;
  daemon.ledger.apply({ kind: 'events_lost', at: daemon.now, events: 5 });
  assert.equal(valueIn((await daemon.metrics.current()).text, 'mmaplock_lost_events_total'), 0);
  daemon.apply(tick(daemon.now));
  assert.equal(valueIn((await daemon.metrics.current()).text, 'mmaplock_lost_events_total'), 5);
});

test('a rendering is made anew when it is old, also after the clock was set back', async () => {
  const daemon = quietDaemon();
  const first = await daemon.metrics.current();
  daemon.now += 1001;
  const second = await daemon.metrics.current();
  assert.notEqual(second, first);
  daemon.now -= 3_600_000;
  assert.notEqual(await daemon.metrics.current(), second);
});

test('the gzipped text is the same text', async () => {
  const { text, gzipped, contentType } = await busyDaemon().metrics.current();
  assert.equal(gunzipSync(gzipped).toString(), text);
  assert.ok(gzipped.length < text.length / 3);
  assert.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8');
});

const promtool = (): string | undefined => {
  const built = fileURLToPath(new URL('../../tools/promtool', import.meta.url));
  const candidates = [built, 'promtool'];
  return candidates.find((path) =>
    path.includes('/') ? existsSync(path) : spawnSync(path, ['--version']).status === 0,
  );
};

const promtoolCheck = (path: string, input: string): { status: number | null; said: string } => {
  const { status, stdout, stderr } = spawnSync(path, ['check', 'metrics'], { input, encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
};

test('promtool finds nothing to say', async (context) => {
  const path = promtool();
  if (path === undefined) return context.skip('promtool is neither in dist/tools nor on PATH');
  for (const [state, daemon] of [
    ['silent', silentDaemon()],
    ['quiet', quietDaemon()],
    ['busy', busyDaemon()],
    ['flooded', flood(quietDaemon())],
  ] as const)
    assert.deepEqual(promtoolCheck(path, await daemon.text()), { status: 0, said: '' }, state);
  assert.notEqual(promtoolCheck(path, 'not_a_metric{').status, 0, 'it does find what is wrong');
});
