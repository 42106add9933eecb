import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { settings } from '../../src/config/settings.js';
import { packageRoot } from '../../src/package-root.js';
import { readCatalog } from '../../src/probes/catalog.js';
import { mapNames } from '../../src/probes/map-budget.js';
import { joinProgram } from '../../src/probes/program.js';
import { procFiles, waitPairs } from '../../src/vocabulary.js';
import { epoch, type FakeDaemon } from '../support/daemon.js';
import { parseExposition, samplesOf, seriesCount, valueIn } from '../support/exposition.js';
import {
  blockRow,
  processRow,
  procFileRow,
  readerBlockRow,
  readerRow,
  tick,
  victimVmaWaitRow,
  waitRow,
} from '../support/records.js';
import { busyDaemon, quietDaemon, silentDaemon } from '../support/scenes.js';
import { contract } from './contract.js';

// seen from the built test, dist/test/metrics
const golden = new URL('../../../test/metrics/golden.prom', import.meta.url);

const own = (text: string) =>
  [...parseExposition(text).values()].filter(({ name }) => /^mmaplock_/.test(name));

const names = 10_000;
const blockFiles = [...procFiles, undefined];

/**
 * What 10,000 hostile names say in a tick: each waits, for VMAs as well, reads and is blocked, all files are read, and
 * whoever is named does each of these `times`.
 */
const hostileTick = (at: number, { from, times, waits }: { from: number; times: number; waits: number }) => {
  const indexes = Array.from({ length: names - from }, (_, index) => index + from);
  const nanoseconds = 20_000_000;
  /** All 10,000 have done it once, those named here again. */
  const total = (count: number) => count * nanoseconds;
  const share = (length: number, place: number) =>
    Array.from({ length: names }, (_, index) => index)
      .filter((index) => index % length === place)
      .reduce((sum, index) => sum + (index < from ? 1 : times), 0);
  const amounts = (count: number) => ({
    opens: count,
    reads: 100 * count,
    retries: count,
    fallbacks: count,
    waits: count,
    waitNanoseconds: total(count),
  });
  return tick(at, {
    waits: [
      waitRow('read', 'page_fault', waits, total(waits)),
      waitRow('write', 'mmap', waits, total(waits)),
    ],
    processes: indexes.map((index) =>
      processRow(`"\\{${index}}`, index % 2 === 0 ? 'read' : 'write', times, total(times), {
        cgroupId: String(index),
      }),
    ),
    procFiles: procFiles.map((file, place) => procFileRow(file, amounts(share(procFiles.length, place)))),
    readers: indexes.map((index) =>
      readerRow(`"\\{${index}}`, procFiles[index % procFiles.length]!, amounts(times)),
    ),
    blocks: blockFiles.map((file, place) => {
      const count = share(blockFiles.length, place);
      return blockRow(file, count, total(count));
    }),
    readerBlocks: indexes.map((index) => {
      const file = blockFiles[index % blockFiles.length];
      const reader = file === undefined ? undefined : `"\\{${index}}`;
      return readerBlockRow(reader, `victim ${index}`, file, times, total(times));
    }),
    vmaWaits: { count: share(1, 0), nanoseconds: total(share(1, 0)) },
    victimVmaWaits: indexes.map((index) => victimVmaWaitRow(`"\\{${index}}`, times, total(times))),
    convoys: { count: share(1, 0), nanoseconds: total(share(1, 0)) },
    victimConvoys: indexes.map((index) => victimVmaWaitRow(`"\\{${index}}`, times, total(times))),
    writersBlocked: procFiles.map((file) => ({ file, nanoseconds: total(times) })),
    untoldStalls: times,
  });
};

/** 10,000 hostile names do all that is counted; then the last 600 of them again, which earns names their own series. */
const flood = (daemon: FakeDaemon): FakeDaemon =>
  daemon.apply(
    hostileTick(epoch + 2000, { from: 0, times: 1, waits: 5000 }),
    hostileTick(epoch + 3000, { from: names - 600, times: 2, waits: 5300 }),
  );

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
  const services = Array.from({ length: 12 }, (_, index) => `service-${index}`);
  const read = { opens: 1, reads: 5 };
  daemon.apply(
    tick(epoch + 2000, {
      waits: waitPairs.map(([mode, operation]) => waitRow(mode, operation, 12, 12_000)),
      processes: services.flatMap((name) => [
        processRow(name, 'read', 1, 1000),
        processRow(name, 'write', 1, 1000),
      ]),
      procFiles: [procFileRow('maps', read), procFileRow('smaps_rollup', read)],
      readers: [readerRow('agent', 'maps', read), readerRow('exporter', 'smaps_rollup', read)],
      blocks: [blockRow('smaps_rollup', 3, 9000), blockRow(undefined, 1, 1000)],
      readerBlocks: [
        readerBlockRow('exporter', 'service-0', 'smaps_rollup', 1, 3000),
        readerBlockRow('exporter', 'service-1', 'smaps_rollup', 2, 6000),
        readerBlockRow(undefined, 'service-1', undefined, 1, 1000),
      ],
    }),
  );
  const text = await daemon.text();
  assert.equal(samplesOf(text, 'mmaplock_process_waits_total').length, 26, 'all names have their own series');
  assert.ok(seriesCount(text) < 500, `${seriesCount(text)} series`);
});

test('10,000 hostile names fill every slot, stay under 1500 series, and nothing is lost', async () => {
  const daemon = flood(quietDaemon());
  const text = await daemon.text();
  assert.ok(seriesCount(text) <= 1500, `${seriesCount(text)} series`);
  const { process_slots: processes, reader_slots: readers, block_slots: pairs } = daemon.config.metrics;
  const sum = (family: string, labels = {}) =>
    samplesOf(text, family, labels).reduce((total, { value }) => total + value, 0);
  assert.equal(samplesOf(text, 'mmaplock_process_waits_total').length, processes + 2);
  for (const mode of ['read', 'write']) assert.equal(sum('mmaplock_process_waits_total', { mode }), 5300);
  for (const family of ['opens', 'reads', 'retries', 'fallbacks', 'waits', 'wait_seconds'])
    assert.equal(
      samplesOf(text, `mmaplock_reader_${family}_total`).length,
      readers + procFiles.length,
      family,
    );
  assert.equal(sum('mmaplock_reader_reads_total'), 1_060_000);
  assert.equal(samplesOf(text, 'mmaplock_reader_block_seconds_total').length, pairs + blockFiles.length);
  assert.equal(sum('mmaplock_reader_blocks_total'), 10_600);
  assert.equal(samplesOf(text, 'mmaplock_victim_vma_wait_seconds_total').length, processes + 1);
  assert.equal(Math.round(1000 * sum('mmaplock_victim_vma_wait_seconds_total')), 20 * 10_600);
  assert.equal(samplesOf(text, 'mmaplock_victim_convoy_wait_seconds_total').length, processes + 1);
  assert.equal(Math.round(1000 * sum('mmaplock_victim_convoy_wait_seconds_total')), 20 * 10_600);
  for (const [family, slots] of [
    ['process_waits', processes],
    ['reader_reads', readers],
    ['reader_blocks', pairs],
    ['victim_vma_wait_seconds', processes],
    ['victim_convoy_wait_seconds', processes],
  ] as const)
    assert.ok(valueIn(text, 'mmaplock_series_folded_total', { family }) >= names - slots, family);
});

test('with every setting of slots at its maximum and all that can be labelled, it stays under 1600 series', async () => {
  const most = ['process_slots', 'reader_slots', 'block_slots'].map((key): [string, number] => {
    const { path, schema } = settings.get(`metrics.${key}`)!;
    return [path, schema.maximum!];
  });
  const watchedMost = settings.get('metrics.watched_victims')!.schema.maxItems!;
  const { fragments } = await readCatalog(join(packageRoot, 'bpf'));
  // No host runs two sources of one event: of each the one with the most probes.
  const running = fragments.filter(
    ({ name, tells, mode, probes }) =>
      mode === 'watch' &&
      !fragments.some(
        (other) =>
          tells !== undefined &&
          other.tells === tells &&
          (other.probes.length > probes.length ||
            (other.probes.length === probes.length && other.name < name)),
      ),
  );
  const program = joinProgram(running.map((fragment) => ({ fragment, constants: new Map() })));
  const daemon = quietDaemon({
    flags: {
      ...Object.fromEntries(most),
      'metrics.watched_victims': Array.from({ length: watchedMost }, (_, index) => `watched ${index}`),
    },
    lockPaths: procFiles.map((file) => ({ file, path: 'mmap_lock', by: 'both', evidence: '' })),
    cost: {
      cpuSeconds: 1,
      residentBytes: 1,
      mapBytes: 1,
      misses: new Map([...program.probeNames, 'unknown'].map((probe) => [probe, 1])),
      probeRunSeconds: 2.5,
      probeCostRatio: 0.003,
    },
  }).apply(
    ...[...mapNames(program.text), 'unknown'].map((map) => ({
      kind: 'map_overflow' as const,
      at: epoch + 1500,
      map,
      updates: 1,
    })),
  );
  const text = await flood(daemon).text();
  const named = (family: string) =>
    samplesOf(text, family).filter(({ labels }) => !Object.values(labels).includes('~other')).length;
  assert.deepEqual(
    [
      'process_waits',
      'reader_reads',
      'reader_blocks',
      'victim_vma_wait_seconds',
      'victim_convoy_wait_seconds',
    ].map((family) => named(`mmaplock_${family}_total`)),
    [...most, most[0]!, most[0]!].map(([, slots]) => slots),
  );
  for (const family of ['oldest_wait_seconds', 'writers_blocked_time_seconds_total'])
    assert.equal(samplesOf(text, `mmaplock_watched_${family}`).length, watchedMost);
  assert.ok(seriesCount(text) < 1600, `${seriesCount(text)} series`);
});

for (const slots of [1, 7])
  test(`with ${slots} slots no family has more names`, async () => {
    const flags = {
      'metrics.process_slots': slots,
      'metrics.reader_slots': slots,
      'metrics.block_slots': slots,
    };
    const text = await flood(quietDaemon({ flags })).text();
    assert.equal(samplesOf(text, 'mmaplock_process_waits_total').length, slots + 2);
    assert.equal(samplesOf(text, 'mmaplock_reader_reads_total').length, slots + procFiles.length);
    assert.equal(samplesOf(text, 'mmaplock_reader_blocks_total').length, slots + blockFiles.length);
    assert.equal(samplesOf(text, 'mmaplock_victim_vma_wait_seconds_total').length, slots + 1);
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

test('a rendering is made anew when it is old', async () => {
  const daemon = quietDaemon();
  const first = await daemon.metrics.current();
  daemon.now += 1001;
  assert.notEqual(await daemon.metrics.current(), first);
});

test('the last tick has the time of day as it is set now, and no counter is moved by it', async () => {
  const daemon = quietDaemon();
  // Of a gap that goes on the seconds are reckoned when they are shown.
  daemon.apply({ kind: 'tracer_stopped', at: daemon.now, reason: 'killed', handedOver: false });
  daemon.now += 5000;
  const before = await daemon.text();
  daemon.set = 400 * 86_400_000;
  const after = await daemon.text();
  const changed = (text: string, other: string): string[] => {
    const lines = new Set(other.split('\n'));
    return text.split('\n').filter((line) => /^mmaplock_/.test(line) && !lines.has(line));
  };
  const tick = (text: string): number =>
    Number(/^mmaplock_last_tick_timestamp_seconds (\S+)$/m.exec(text)?.[1]);
  assert.equal(tick(after) - tick(before), 400 * 86_400);
  assert.deepEqual(
    changed(after, before).filter((line) => !line.startsWith('mmaplock_last_tick')),
    [],
  );
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
