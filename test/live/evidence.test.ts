/** Incidents and their evidence: held against what the writer measured of itself, and against real holds. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { assertTimely, upToThreeTimes } from '../support/timing.js';
import { assertConserved, total } from './support/blocks.js';
import { killLeftovers } from './support/children.js';
import { type RunningDaemon, startDaemon } from './support/daemon.js';
import { lacking } from './support/host.js';
import {
  assertLongest,
  type Incident,
  type IncidentReader,
  incidentsOf,
  largeMappings,
  starve,
} from './support/incidents.js';
import { inspectShares, writerAndReaders } from './support/inspect.js';

const skip = lacking('root', 'tracing', 'bpftrace');

const directory = mkdtempSync(path.join(tmpdir(), 'mmaplockd-evidence-'));
after(killLeftovers);
after(() => rmSync(directory, { recursive: true }));

const started = async (...args: readonly string[]): Promise<RunningDaemon> => {
  const daemon = await startDaemon({ args });
  await daemon.ready();
  return daemon;
};

/** Starves a reader until some waits were told one by one, and holds the incident against the writer's own clock. */
const starvedOnce = async (
  t: TestContext,
  daemon: RunningDaemon,
  writer: string,
  reader: string,
): Promise<Incident> => {
  const enough = async (): Promise<boolean> => {
    const [incident] = await incidentsOf(daemon, writer);
    return (incident?.waits_total ?? 0) >= 5 && (incident?.convoy_waits_total ?? 0) > 0;
  };
  const before = (await daemon.settled()).sum('mmaplock_convoy_waits_total') ?? 0;
  const truth = await starve({ reader, writer, until: enough });
  const metrics = await daemon.settled();
  const incidents = await incidentsOf(daemon, writer);
  const { longest, writers } = truth;
  const { fault } = writers.ops;
  const convoys = (metrics.sum('mmaplock_convoy_waits_total') ?? 0) - before;
  t.diagnostic(JSON.stringify({ incidents, longest, convoys, fault }));
  assertTimely(longest.wait > 0.05, `the machine is too fast to starve anybody: ${longest.wait} s at most`);
  assert.equal(incidents.length, 1, 'one incident');
  const [incident] = incidents as [Incident];
  assert.equal(incident.victim.pid, String(truth.writer));
  assert.deepEqual(
    incident.readers.map(({ name, pid, file, nice }) => ({ name, pid, file, nice })),
    [{ name: reader, pid: String(truth.reader), file: 'smaps', nice: 19 }],
  );
  assert.equal(incident.lock_path, 'mmap_lock');
  assertLongest(incident, truth);
  // Its time without a CPU is that of the waits told one by one.
  const { off_cpu_seconds: offCpu } = incident.readers[0] as IncidentReader;
  const told = incident.wait_seconds_total;
  assert.ok((offCpu ?? 0) <= told, `${offCpu} s without a CPU of ${told} s`);
  assertTimely(offCpu !== null && offCpu > 0.5 * told, `${offCpu} s without a CPU of ${told} s`);
  assertTimely(incident.convoy_waits_total > 0, 'no page fault queued behind the blocked writer');
  const faults = metrics.sum('mmaplock_waits_total', { mode: 'read', operation: 'page_fault' }) ?? 0;
  assert.ok(incident.convoy_waits_total <= convoys, `${convoys} convoys`);
  assert.ok(convoys <= faults, `${convoys} convoys, ${faults} faults`);
  assertTimely(convoys > 0.3 * fault.over_1ms, `${convoys} convoys, ${fault.over_1ms} faults of over 1 ms`);
  assert.match(
    incident.sentence,
    new RegExp(
      `\`${reader}\` read smaps of \`${writer}\` and (?:blocked|has blocked) its .*without a CPU.*nice 19.*page faults? queued`,
    ),
  );
  assert.ok(
    incident.advice.some((line) => /priority|quota/.test(line)),
    incident.advice.join(' '),
  );
  return incident;
};

/** Inspect mode beside the watch program, over the same seconds. */
const inspected = async (t: TestContext, daemon: RunningDaemon): Promise<void> => {
  const victim = await writerAndReaders('wr-inspected', ['--threads', '1', ...largeMappings], 600);
  await upToThreeTimes(t, 'evidence: shares by windows are those by holds', async () => {
    const { answer, real, seen, seconds } = await inspectShares(daemon, { token, seconds: 6, victim });
    t.diagnostic(JSON.stringify({ real, seen, seconds, holds: answer.holds, rows: answer.data.length }));
    assert.equal(answer.evidence, 'overlap');
    assert.ok(answer.holds.some(({ file, holds_total }) => file === 'smaps' && holds_total > 100));
    assert.ok(
      answer.kernel_stacks.some(({ frames }) => frames.some((name) => /munmap|mmap|mprotect/.test(name))),
      'where the writers stood',
    );
    assertTimely(seconds > 0.1, `the two readers held it for ${seconds} s`);
    assertTimely(
      Math.abs(real - seen) <= 10,
      `${seen.toFixed(1)} % by windows, ${real.toFixed(1)} % by real holds`,
    );
  });
  await victim.stop();

  // Over the whole run every wait of the writer is its readers', ~unknown, or behind no reader: to the nanosecond.
  const metrics = await daemon.settled();
  assertConserved(metrics);
  assert.ok(total(metrics, 'mmaplock_inspect_seconds_total') >= 5, 'inspect mode is counted');
};

const token = 'the-token-of-the-live-tests';
const tokenFile = path.join(directory, 'token');
writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });

test('a starved reader that holds the lock makes one incident, with who, whom, how long, and what queued', {
  skip,
}, async (t) => {
  const kept = path.join(directory, 'starved');
  const daemon = await started(`--incidents.directory=${kept}`);
  let attempt = 0;
  const incident = await upToThreeTimes(
    t,
    'evidence: a reader that holds the lock without a CPU',
    async () => {
      attempt += 1;
      return starvedOnce(t, daemon, `wr-starved-${attempt}`, `by-starved-${attempt}`);
    },
  );
  const ids = (await incidentsOf(daemon)).map(({ id }) => id);
  assert.equal(await daemon.stop(), 0);

  // What was kept is there after a restart, also when the last line was cut off.
  const [file] = readdirSync(kept);
  appendFileSync(path.join(kept, file!), '{"v":1,"id":"0000000000001-0000');
  const again = await started(
    `--incidents.directory=${kept}`,
    ...['--inspect.api=on', `--inspect.token-file=${tokenFile}`],
  );
  const restored = await incidentsOf(again);
  assert.deepEqual(
    restored.map(({ id, state }) => [id, state]),
    ids.map((id) => [id, 'closed']),
  );
  assert.deepEqual(
    restored.find(({ id }) => id === incident.id)?.readers.map(({ name, nice }) => [name, nice]),
    incident.readers.map(({ name, nice }) => [name, nice]),
  );
  assert.ok(
    again.log.some(({ level, msg }) => level === 'warn' && /incident/.test(String(msg))),
    'the lost line is told',
  );
  await t.test(
    'two readers of one target: their shares are those of the real holds that inspect mode sees',
    (t) => inspected(t, again),
  );
  assert.equal(await again.stop(), 0);
});
