/** Names made to disturb: from the kernel through bpftrace to all that shows them, each arrives escaped, and once. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { findPromtool, noPromtool } from '../deploy/promtool.js';
import { killLeftovers, track } from '../live/support/children.js';
import { childrenOf, Metrics, mainFile, type RunningDaemon, startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { watchLines } from '../live/support/lines.js';
import { ticksOf } from '../live/support/ticks.js';
import { parseExposition, samplesOf } from '../support/exposition.js';
import { assertHarmless, names, startPair } from './support/hostile/pair.js';
import { eventsOf, openRawStream, type RawStream } from './support/raw-stream.js';

/** So many pairs at a time. */
const atOnce = 7;
const skip = lacking('root', 'tracing', 'bpftrace');

/** What a usual process of a host is called. */
const usual = /^[\w.:/@+-]+(?: [\w.:/@+-]+)*$/;

describe('hostile names under one daemon', { skip }, () => {
  let daemon: RunningDaemon;
  let stream: RawStream;
  let text = '';
  const reads = new Map<string, number>();

  before(async () => {
    daemon = await startDaemon({
      args: [
        '--cost.budget-percent=0',
        '--incidents.wait-ms=1',
        '--incidents.quiet-seconds=1',
        // Half of them are given away at once.
        '--metrics.process-slots=60',
        '--metrics.reader-slots=57',
        '--metrics.block-slots=103',
      ],
    });
    await daemon.ready();
    stream = await openRawStream(daemon.url);
    for (let first = 0; first < names.length; first += atOnce) {
      const group = names.slice(first, first + atOnce);
      const pairs = await Promise.all(
        group.map(async (name) => ({ shown: name.shown, pair: await startPair(name) })),
      );
      await daemon.until(
        'each has earned its series and had its incident',
        ({ text: now }) => {
          const victims = new Set(
            eventsOf<{ victim: string }>(stream.text(), 'incident').map(({ victim }) => victim),
          );
          return group.every(
            ({ shown }) =>
              victims.has(shown) &&
              samplesOf(now, 'mmaplock_process_waits_total', { process: shown, mode: 'write' }).length > 0 &&
              samplesOf(now, 'mmaplock_reader_blocks_total', { reader: shown, victim: shown }).length > 0,
          );
        },
        60,
      );
      for (const { shown, pair } of pairs) reads.set(shown, await pair.stop());
    }
    text = (await daemon.settled()).text;
  });

  after(async () => {
    stream?.close();
    await killLeftovers();
  });

  test('the exposition is what Prometheus reads, and harmless', async (t) => {
    parseExposition(text);
    assertHarmless(text, '/metrics');
    const promtool = findPromtool();
    if (promtool === undefined) return t.diagnostic(noPromtool);
    const said = await execa(promtool, ['check', 'metrics'], { input: text, reject: false, all: true });
    assert.deepEqual([said.exitCode, said.all], [0, '']);
  });

  for (const { what, shown } of names)
    test(`${what}: as victim and as reader, once`, async (t) => {
      const waits = samplesOf(text, 'mmaplock_process_waits_total', { process: shown, mode: 'write' });
      const counted = samplesOf(text, 'mmaplock_reader_reads_total', { reader: shown, file: 'smaps' });
      const blocks = samplesOf(text, 'mmaplock_reader_blocks_total', { reader: shown, victim: shown });
      const truth = reads.get(shown) ?? 0;
      t.diagnostic(JSON.stringify({ shown, waits: waits[0]?.value, reads: truth, blocks: blocks[0]?.value }));
      for (const series of [waits, counted, blocks]) assert.equal(series.length, 1);
      assert.ok(waits[0]!.value > 0 && blocks[0]!.value > 0);
      const misses = new Metrics(text).sum('mmaplock_probe_misses_total') ?? 0;
      assert.ok(
        counted[0]!.value <= truth && counted[0]!.value + misses >= truth,
        `${counted[0]!.value} reads counted and ${misses} probes missed, of ${truth}`,
      );
    });

  test('there is no other name beside them, as half of one would be', () => {
    const labels = [...parseExposition(text).values()]
      .flatMap(({ samples }) => samples)
      .flatMap(({ labels: { process = '', reader = '', victim = '' } }) => [process, reader, victim]);
    const odd = new Set(
      labels.filter((name) => name !== '' && !usual.test(name) && !/^~(other|unknown)$/.test(name)),
    );
    const expected = names.map(({ shown }) => shown).filter((name) => !usual.test(name));
    assert.deepEqual([...odd].sort(), [...expected].sort());
  });

  test('the API finds each by what it shows, and shows it so', async () => {
    for (const { what, shown } of names) {
      const name = encodeURIComponent(shown);
      for (const [route, key] of [
        [`/api/v1/processes?process=${name}`, 'process'],
        [`/api/v1/readers?reader=${name}&file=smaps`, 'reader'],
        [`/api/v1/blocks?reader=${name}&victim=${name}`, 'victim'],
        [`/api/v1/incidents?victim=${name}`, 'victim'],
      ] as const) {
        const body = await (await fetch(daemon.url + route)).text();
        assertHarmless(body, `${what}: ${route}`);
        const { data } = JSON.parse(body) as { data: Record<string, string | { name: string }>[] };
        assert.ok(data.length > 0, `${what}: nothing at ${route}`);
        if (key !== 'victim') assert.equal(data.length, 1, `${what}: ${route}`);
        for (const { [key]: found } of data)
          assert.equal(typeof found === 'object' ? found.name : found, shown, `${what}: ${route}`);
      }
    }
  });

  test('the stream sends each in an incident, as JSON on one line', () => {
    const sent = stream.text();
    assertHarmless(sent, 'the stream');
    assert.ok(eventsOf(sent, 'tick').length > 3);
    const victims = new Set(eventsOf<{ victim: string }>(sent, 'incident').map(({ victim }) => victim));
    for (const { what, shown } of names) assert.ok(victims.has(shown), `${what}: ${[...victims]}`);
  });

  test('the log tells of incidents of theirs on a line each, and holds no control character', async () => {
    // What is no line of JSON is not in daemon.log at all.
    const shown = new Set(names.map((name) => name.shown));
    const told = daemon.log.filter(({ victim }) => shown.has(String(victim)));
    assert.ok(told.length > 0, JSON.stringify(daemon.log.slice(-5)));
    for (const record of daemon.log)
      for (const value of Object.values(record)) assertHarmless(String(value), JSON.stringify(record));
    for (const { victim, msg } of told) assert.ok(String(msg).includes(String(victim)), msg);
  });

  test('it ends in order', async () => {
    assert.equal(new Metrics(text).sum('mmaplock_decode_errors_total'), 0);
    assert.equal(await daemon.stop(), 0);
  });
});

describe('hostile names without that daemon', { skip }, () => {
  afterEach(killLeftovers);

  test('a recording prints them on a terminal', async () => {
    const recording = execa(process.execPath, [mainFile, 'record', '--for', '60s'], { reject: false });
    track(recording);
    await watchLines(recording.stderr, 'record').match(/recording for 60 s/);
    const chosen = names.filter(({ what }) => /terminal|newline|two bytes|0xff/.test(what));
    assert.ok(chosen.length >= 4);
    const pairs = await Promise.all(chosen.map((name) => startPair(name)));
    const [tracer] = await childrenOf(recording.pid!);
    // What has happened since the last tick is not in a recording that is ended early.
    await ticksOf(tracer!, 3);
    recording.kill('SIGINT');
    const { stdout } = await recording;
    await Promise.all(pairs.map((pair) => pair.stop()));
    assertHarmless(stdout, 'record');
    for (const { what, shown } of chosen) assert.ok(stdout.includes(shown), `${what}: ${stdout}`);
  });
});
