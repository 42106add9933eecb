import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TickSummaries } from '../../../src/api/stream/tick-summary.js';
import { metricsWithoutNames, pseudonym, rowsWithoutNames } from '../../../src/cli/support-bundle/names.js';
import { recordingJson } from '../../../src/cli/support-bundle/support-bundle.js';
import { epoch, FakeDaemon } from '../../support/daemon.js';
import { valueIn } from '../../support/exposition.js';
import {
  blockRow,
  ongoingWait,
  processRow,
  procFileRow,
  readerBlockRow,
  readerRow,
  stall,
  stallReader,
  tick,
  waitRow,
} from '../../support/records.js';

/** Names that no word of ours holds. */
const names = {
  victim: 'zz-victim "q" \\b',
  reader: 'zz-reader',
  staller: 'zz-staller',
  target: 'zz-target',
  waiter: 'zz-waiter',
  unit: 'zz-unit.service',
  container: 'zz-container',
  pod: 'zz-pod',
};

const identity = { path: '/zz', unit: names.unit, containerId: names.container, podUid: names.pod };

const scene = (): FakeDaemon =>
  new FakeDaemon({
    cgroups: { 4711: identity, 4712: { ...identity, containerId: undefined, podUid: undefined } },
    processNames: { 42: names.target, 43: names.waiter },
  }).apply(
    { kind: 'tracer_started', at: epoch },
    tick(epoch + 1000, {
      waits: [waitRow('write', 'munmap', 2, 60e6)],
      processes: [processRow(names.victim, 'write', 2, 60e6)],
      ongoing: [ongoingWait('write', 'mmap', 0.01, { pid: 43 })],
      procFiles: [procFileRow('smaps', { opens: 2, reads: 200 })],
      readers: [readerRow(names.reader, 'smaps', { opens: 2, reads: 200 })],
      blocks: [blockRow('smaps', 2, 50e6), blockRow(undefined, 1, 10e6)],
      readerBlocks: [
        readerBlockRow(names.reader, names.victim, 'smaps', 2, 50e6),
        readerBlockRow(undefined, names.victim, undefined, 1, 10e6),
      ],
    }),
    stall(epoch + 1500, 180e6, {
      victim: { name: names.victim, cgroupId: '4711', pid: 42, tid: 43 },
      readers: [stallReader(names.staller, 'smaps', 100e6, { nice: 5, offCpuNanoseconds: 90e6 })],
    }),
  );

const recordingOf = async (anonymous: boolean) => {
  const { view, ledger } = scene();
  const recording = { view, startedAt: epoch, endedAt: epoch + 2000, gaps: [] };
  return recordingJson({ ...recording, incidents: ledger.incidents.list() }, anonymous);
};

const hashed = (name: string): string => pseudonym('p', name);

test('a recording without names holds none of them, and all hashes', async () => {
  const named = JSON.stringify(await recordingOf(false));
  for (const name of Object.values(names)) assert.ok(named.includes(JSON.stringify(name).slice(1, -1)), name);
  const json = await recordingOf(true);
  const text = JSON.stringify(json);
  assert.doesNotMatch(text, /zz-/);
  for (const name of [names.victim, names.reader, names.staller, names.target, names.waiter])
    assert.ok(text.includes(hashed(name)), name);
  assert.equal(json.processes.data[0]?.process, hashed(names.victim));
  assert.equal(json.processes.data[0]?.unit, pseudonym('u', names.unit));
  assert.equal(json.readers?.data[0]?.last_target, hashed(names.target));
});

test('the sentence and the advice of an incident name the hashes', async () => {
  const [incident] = (await recordingOf(true)).incidents.data;
  assert.equal(incident?.victim.name, hashed(names.victim));
  assert.equal(incident?.readers[0]?.unit, pseudonym('u', names.unit));
  assert.ok(
    incident?.sentence.startsWith(
      `\`${hashed(names.staller)}\` (unit ${pseudonym('u', names.unit)}) read smaps of \`${hashed(names.victim)}\``,
    ),
    incident?.sentence,
  );
  assert.ok(incident.advice.some((line) => line.includes(hashed(names.staller))));
});

test('figures stay, and ~unknown is no name', async () => {
  const [named, nameless] = [await recordingOf(false), await recordingOf(true)];
  assert.deepEqual(nameless.waits.data, named.waits.data);
  assert.deepEqual(
    nameless.blocks?.data.map(({ file, blocks_total }) => [file, blocks_total]),
    named.blocks?.data.map(({ file, blocks_total }) => [file, blocks_total]),
  );
  assert.equal(nameless.blocks?.data.find(({ file }) => file === '~unknown')?.reader, '~unknown');
});

test('ticks without names', () => {
  const { ledger, view } = scene();
  const summary = new TickSummaries(ledger, view.plan, view).next(epoch + 1000);
  assert.match(JSON.stringify(summary), /zz-/);
  const nameless = rowsWithoutNames(summary);
  assert.doesNotMatch(JSON.stringify(nameless), /zz-/);
  assert.equal(nameless.processes[0]?.process, hashed(names.victim));
  assert.deepEqual(nameless.waits, summary.waits);
});

test('metrics without names are still metrics, with the same values', async () => {
  const text = await scene().text();
  assert.match(text, /zz-/);
  const nameless = metricsWithoutNames(text);
  assert.doesNotMatch(nameless, /zz-/);
  const labels = { file: 'smaps', reader: hashed(names.reader), victim: hashed(names.victim) };
  assert.equal(valueIn(nameless, 'mmaplock_reader_block_seconds_total', labels), 0.05);
  const other = { process: '~other', mode: 'write' };
  assert.equal(valueIn(nameless, 'mmaplock_process_waits_total', other), 0);
});

test('any name in a label gets the hash that it has elsewhere', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const escaped = name.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
      assert.equal(
        metricsWithoutNames(`a_total{file="maps",reader="${escaped}",victim="x"} 1\n`),
        `a_total{file="maps",reader="${hashed(name)}",victim="${hashed('x')}"} 1\n`,
      );
    }),
  );
});

test('a hash is short, stable, and another for another name', () => {
  assert.equal(pseudonym('p', 'mysqld'), pseudonym('p', 'mysqld'));
  assert.match(pseudonym('p', 'mysqld'), /^p-[0-9a-f]{8}$/);
  assert.notEqual(pseudonym('p', 'mysqld'), pseudonym('p', 'mysqle'));
  assert.equal(pseudonym('p', '~other'), '~other');
});

test('names of watched victims in the settings are replaced as in the metrics', () => {
  assert.deepEqual(rowsWithoutNames({ metrics: { name_by: 'comm', watched_victims: [names.victim] } }), {
    metrics: { name_by: 'comm', watched_victims: [pseudonym('p', names.victim)] },
  });
});
