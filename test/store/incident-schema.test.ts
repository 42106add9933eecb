import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Incident } from '../../src/ledger/incidents/incident.js';
import { fromStored, toStored } from '../../src/store/incident-schema.js';
import { fullIncident, plain } from './incidents.js';

const unset = { timeOfDay: (at: number) => at };

const line = (change: Record<string, unknown> = {}): object =>
  Object.assign(plain(toStored(fullIncident('0001-1'), unset)) as object, change);

test('an incident is the same after it was written and read, with its format version on the line', () => {
  assert.equal((line() as { v: unknown }).v, 1);
  assert.deepEqual(plain(fromStored(line())), plain(fullIncident('0001-1')));
});

test('what was not known when it was written is undefined again', () => {
  const open = fullIncident('0001-1', {
    closedAt: undefined,
    victim: { name: '~unknown', cgroupId: '0', pid: undefined, tid: undefined },
  });
  const read = fromStored(plain(toStored(open, unset)) as object);
  assert.equal(read?.closedAt, undefined);
  assert.deepEqual(plain(read), plain(open));
});

test('what is written has the time of day that its daemon has now', () => {
  const hour = 3_600_000;
  const times = ({ openedAt, lastAt, closedAt, ongoing, timeline }: Incident): (number | undefined)[] => [
    ...[openedAt, lastAt, closedAt, ...ongoing.map(({ since }) => since)],
    ...timeline.points.map(({ at }) => at),
  ];
  const incident = fullIncident('0001-1');
  const written = toStored(incident, { timeOfDay: (at) => at + hour }) as Incident;
  assert.deepEqual(
    times(written),
    times(incident).map((at) => at! + hour),
  );
  assert.equal(times(incident).length > 4, true);
});

test('a member that this version does not know is left out', () => {
  const read = fromStored(
    line({ mood: 'bad', waits: { count: 1, nanoseconds: 1, longestNanoseconds: 1, x: 1 } }),
  );
  assert.equal(read === undefined || 'mood' in read || 'x' in read.waits || 'v' in read, false);
});

const refused: [string, Record<string, unknown>][] = [
  ['a member that is missing', { readers: undefined }],
  ['a number that is none', { lastAt: null }],
  ['a time that no date holds', { openedAt: 1e300 }],
  ['a name with an escape sequence', { victim: { name: '\x1b[2J', cgroupId: '1' } }],
  ['a cgroup id that is no number', { victim: { name: 'a', cgroupId: '1n' } }],
  ['an id that would not do in a URL', { id: '../1' }],
  ['a file that does not exist', { files: [{ file: 'shadow', nanoseconds: 1 }] }],
];
for (const [what, change] of refused)
  test(`${what} makes it no incident`, () => {
    assert.equal(fromStored(line(change)), undefined);
  });
