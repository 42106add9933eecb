import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIncidentTeller } from '../../src/daemon/incident-log.js';
import type { Incident } from '../../src/ledger/incidents/incident.js';
import { createLog } from '../../src/log/log.js';
import { epoch } from '../support/daemon.js';
import { incidentOf } from '../support/incidents.js';
import { stall, stallReader } from '../support/records.js';

const ms = 1e6;

const openTeller = () => {
  const lines: Record<string, unknown>[] = [];
  const stream = { write: (line: string) => lines.push(JSON.parse(line)) };
  const clock = { now: 0 };
  const teller = createIncidentTeller({
    log: createLog({ level: 'info', format: 'json', stream }),
    resolve: () => undefined,
    now: () => clock.now,
  });
  return { lines, clock, teller };
};

const incidentAt = (at: number, nanoseconds = 180 * ms): Incident =>
  incidentOf([stall(at, nanoseconds, { readers: [stallReader('agent', 'smaps', nanoseconds)] })]);

test('an incident that closes is one structured line, with the sentence', () => {
  const { lines, teller } = openTeller();
  const incident = incidentAt(epoch);
  teller.open([incident]);
  assert.equal(lines.length, 0, 'it is short, and still open');
  teller.closed(incident);
  assert.equal(lines.length, 1);
  const { level, msg, incident: id, victim, reader, file, blocked_seconds, evidence } = lines[0]!;
  assert.equal(msg, '`agent` read smaps of `mysqld` and blocked its munmap for 180 ms.');
  assert.deepEqual([level, id, victim, reader, file], ['warn', incident.id, 'mysqld', 'agent', 'smaps']);
  assert.deepEqual([blocked_seconds, evidence], [0.18, 'windows']);
});

test('one that lasts is told of while it is open, and not again when it closes', () => {
  const { lines, teller } = openTeller();
  const incident = incidentAt(epoch, 10_000 * ms);
  for (let tick = 0; tick < 5; tick += 1) teller.open([incident]);
  teller.closed(incident);
  assert.equal(lines.length, 1);
});

test('at most ten lines a minute; the next one says how many were left out', () => {
  const { lines, clock, teller } = openTeller();
  const closeSome = (count: number) => {
    for (let index = 0; index < count; index += 1) teller.closed(incidentAt(epoch + clock.now + index));
  };
  closeSome(25);
  assert.equal(lines.length, 10);
  clock.now = 59_999;
  closeSome(1);
  assert.equal(lines.length, 10);
  clock.now = 60_000;
  closeSome(2);
  assert.deepEqual(
    lines.slice(10).map(({ unsaid }) => unsaid),
    [16, undefined],
  );
});
