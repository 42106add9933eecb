import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Resolve, sentenceOf } from '../../src/evidence/sentence.js';
import { withInspection } from '../../src/ledger/incidents/draft.js';
import type { Identity, LookedFor } from '../../src/ledger/incidents/incident.js';
import { epoch } from '../support/daemon.js';
import { incidentOf } from '../support/incidents.js';
import {
  blockRow,
  ongoingWait,
  readerBlockRow,
  stall,
  stallReader,
  tick,
  waitRow,
} from '../support/records.js';

const ms = 1e6;
const nowhere: Identity = { unit: undefined, containerId: undefined, podUid: undefined };
const units: Resolve = (id) =>
  ({
    4711: { ...nowhere, unit: 'mysql.service' },
    4712: { ...nowhere, unit: 'process-exporter.service' },
  })[id];
const reader = (nanoseconds: number, more = {}) => stallReader('process-exporte', 'smaps', nanoseconds, more);

test('who, whom, for how long, and what queued', () => {
  const incident = incidentOf([
    stall(epoch, 180 * ms, {
      readers: [reader(180 * ms)],
      convoy: { count: 41, nanoseconds: 5e9, longestQueue: 9 },
    }),
  ]);
  assert.equal(
    sentenceOf(incident, units),
    '`process-exporte` (unit process-exporter.service) read smaps of `mysqld` (unit mysql.service) and blocked its ' +
      'munmap for 180 ms; 41 page faults queued behind it.',
  );
  assert.equal(
    sentenceOf(incident),
    '`process-exporte` read smaps of `mysqld` and blocked its munmap for 180 ms; 41 page faults queued behind it.',
  );
});

test('containers and pods say more than units', () => {
  const id = 'ab12'.repeat(16);
  const incident = incidentOf([stall(epoch, 180 * ms, { readers: [reader(180 * ms)] })]);
  const pods: Resolve = (cgroup) =>
    cgroup === '4711'
      ? { unit: `cri-containerd-${id}.scope`, containerId: id, podUid: '0-1-2' }
      : { unit: 'docker.service', containerId: id, podUid: undefined };
  assert.equal(
    sentenceOf(incident, pods),
    '`process-exporte` (container ab12ab12ab12) read smaps of `mysqld` (container ab12ab12ab12 of pod 0-1-2) and ' +
      'blocked its munmap for 180 ms.',
  );
});

test('what the incident keeps of a cgroup goes before what is known now', () => {
  const records = [stall(epoch, 180 * ms, { readers: [reader(180 * ms)] }), tick(epoch + 60_000)];
  assert.equal(
    sentenceOf(incidentOf(records, { identify: units })),
    '`process-exporte` (unit process-exporter.service) read smaps of `mysqld` (unit mysql.service) and blocked its ' +
      'munmap for 180 ms.',
  );
});

test('several readers: the worst, its share, and how many more', () => {
  const readers = [reader(100 * ms), stallReader('atop', 'smaps', 50 * ms)];
  const incident = incidentOf([stall(epoch, 200 * ms, { readers })]);
  assert.equal(
    sentenceOf(incident),
    '`process-exporte` read smaps of `mysqld` and blocked its munmap for 200 ms; its share is 50 %, 1 more reader ' +
      'had a part.',
  );
  assert.equal(
    sentenceOf(incidentOf([stall(epoch, 200 * ms, { readers: readers.slice(0, 1) })])),
    '`process-exporte` read smaps of `mysqld` and blocked its munmap for 200 ms; its share is 50 %.',
  );
});

test('several waits: how many, and the longest; two operations by name', () => {
  const waits = (['munmap', 'mmap', 'brk'] as const).map((operation, index) =>
    stall(epoch + index * 1000, (80 - index) * ms, { operation, readers: [reader((80 - index) * ms)] }),
  );
  assert.equal(
    sentenceOf(incidentOf(waits)),
    '`process-exporte` read smaps of `mysqld` and blocked its munmap, mmap and 1 other operation for 237 ms in 3 ' +
      'waits, the longest 80 ms.',
  );
});

/** The last of many short waits, of 2.5 s in all. */
const short = stall(epoch, 4 * ms, {
  cause: 'share',
  blockedInWindow: { nanoseconds: 2500 * ms, windowNanoseconds: 10_000 * ms },
});
/** The tick that tells who was in their way, and for how long. */
const tickOf = (...readers: readonly (readonly [name: string, nanoseconds: number])[]) => {
  const all = readers.reduce((sum, [, nanoseconds]) => sum + nanoseconds, 0);
  return tick(epoch + 500, {
    waits: [waitRow('write', 'munmap', 900, all)],
    blocks: [blockRow('smaps', 900, all)],
    readerBlocks: readers.map(([name, nanoseconds]) =>
      readerBlockRow(name, 'mysqld', 'smaps', 100, nanoseconds),
    ),
  });
};

test('many short waits: how much of the time', () => {
  assert.equal(
    sentenceOf(incidentOf([short, tickOf(['process-exporte', 2500 * ms])])),
    '`process-exporte` read smaps of `mysqld` and blocked its munmap for 2.5 s of 10 s, in many short waits.',
  );
  assert.equal(
    sentenceOf(incidentOf([short, tickOf(['process-exporte', 1500 * ms], ['atop', 500 * ms])])),
    '`process-exporte` read smaps of `mysqld` and blocked its munmap for 2.5 s of 10 s, in many short waits; its ' +
      'share is 60 %, 1 more reader had a part.',
  );
});

test('a long wait, and many short ones after it', () => {
  const long = stall(epoch - 20_000, 180 * ms, { readers: [reader(180 * ms, { cgroupId: '4711' })] });
  const quietMilliseconds = 30_000;
  assert.equal(
    sentenceOf(incidentOf([long, short, tickOf(['process-exporte', 2680 * ms])], { quietMilliseconds })),
    '`process-exporte` read smaps of `mysqld` and blocked its munmap for 2.7 s in 2 waits and many short ones, the ' +
      'longest 180 ms.',
  );
});

test('a reader that lacked a CPU: for how long, and at which nice value', () => {
  const of = (more: object) =>
    sentenceOf(incidentOf([stall(epoch, 180 * ms, { readers: [reader(180 * ms, more)] })]));
  const plain = '`process-exporte` read smaps of `mysqld` and blocked its munmap for 180 ms';
  assert.equal(
    of({ offCpuNanoseconds: 120 * ms, nice: 19 }),
    `${plain}; it was without a CPU for 120 ms of it, at nice 19.`,
  );
  assert.equal(
    of({ offCpuNanoseconds: 120 * ms, nice: 0 }),
    `${plain}; it was without a CPU for 120 ms of it.`,
  );
  assert.equal(of({ offCpuNanoseconds: 17 * ms, nice: 19 }), `${plain}.`, 'a few milliseconds are nothing');
  assert.equal(of({ offCpuNanoseconds: undefined, nice: undefined }), `${plain}.`);
});

const nobodySeen =
  'No reader of a proc file was seen to hold the lock; its own reads of such files are seen in part, and access by ' +
  'cmdline, environ, mem or ptrace is not looked at.';

test('that no reader was seen is said only as far as it was looked for one', () => {
  const waited = '`mysqld` waited for its own mmap_lock for 70 ms, in munmap. ';
  const of = (lookedFor: LookedFor) =>
    sentenceOf(incidentOf([stall(epoch, 70 * ms)], { lookedFor: () => lookedFor }));
  assert.equal(of('windows'), waited + nobodySeen);
  assert.match(
    of('lock_word'),
    /No reader of a proc file was seen to hold the lock when a wait began, and only then /,
  );
  assert.equal(of('nothing'), `${waited}Whether a reader of a proc file held the lock was not looked at.`);
});

test('what is told is the least that was looked at while it lasted', () => {
  const ways: LookedFor[] = ['windows', 'lock_word', 'windows', 'windows'];
  const incident = incidentOf([stall(epoch, 70 * ms), stall(epoch + 1000, 70 * ms)], {
    lookedFor: () => ways.shift() ?? 'windows',
  });
  assert.equal(incident.lookedFor, 'lock_word');
});

test('no reader was found: nobody is blamed', () => {
  assert.equal(
    sentenceOf(incidentOf([stall(epoch, 70 * ms)]), units),
    `\`mysqld\` (unit mysql.service) waited for its own mmap_lock for 70 ms, in munmap. ${nobodySeen}`,
  );
  assert.equal(
    sentenceOf(
      incidentOf([
        stall(epoch, 70 * ms, { convoy: { count: 1, nanoseconds: 1, longestQueue: 1 } }),
        stall(epoch + 1000, 90 * ms),
      ]),
    ),
    '`mysqld` waited for its own mmap_lock for 160 ms in 2 waits, the longest 90 ms, in munmap; 1 page fault queued ' +
      `behind it. ${nobodySeen}`,
  );
});

test('still going on', () => {
  const processName = () => ({ name: 'mysqld', cgroupId: '4711' });
  const going = tick(epoch + 3200, { ongoing: [ongoingWait('write', 'munmap', 3.2)] });
  assert.equal(
    sentenceOf(incidentOf([going], { processName })),
    '`mysqld` has waited for its own mmap_lock for 3.2 s so far, in munmap. Whether a reader of a proc file holds the ' +
      'lock shows when the wait ends.',
  );
  const other = { name: 'mysqld', cgroupId: '4711', pid: 42, tid: 44 };
  const known = stall(epoch + 1000, 900 * ms, { victim: other, readers: [reader(900 * ms)] });
  assert.equal(
    sentenceOf(incidentOf([known, going], { processName })),
    '`process-exporte` read smaps of `mysqld` and has blocked its munmap for 3.2 s so far.',
  );
});

test('a process that reads its own file', () => {
  const self = { name: 'mysqld', cgroupId: '4711', pid: 42 };
  assert.equal(
    sentenceOf(incidentOf([stall(epoch, 70 * ms, { readers: [reader(70 * ms, self)] })])),
    '`mysqld` read its own smaps and blocked its munmap for 70 ms.',
  );
});

test('files that are not read are told by what is done with them', () => {
  const of = (file: 'clear_refs' | 'procmap_query' | 'map_files') =>
    sentenceOf(
      incidentOf([
        stall(epoch, 70 * ms, {
          mode: 'read',
          operation: 'page_fault',
          readers: [stallReader('agent', file, 70 * ms)],
        }),
      ]),
    );
  assert.equal(
    of('clear_refs'),
    '`agent` wrote to clear_refs of `mysqld` and blocked its page faults for 70 ms.',
  );
  assert.equal(
    of('map_files'),
    '`agent` listed map_files of `mysqld` and blocked its page faults for 70 ms.',
  );
  assert.equal(
    of('procmap_query'),
    '`agent` asked for mappings (PROCMAP_QUERY) of `mysqld` and blocked its page faults for 70 ms.',
  );
});

test('what inspect mode saw is told where windows show nobody', () => {
  const incident = incidentOf([stall(epoch, 70 * ms)]);
  const seen = { name: 'agent', cgroupId: '1', pid: 7, tid: 7, file: 'smaps' as const, nanoseconds: 69 * ms };
  assert.equal(
    sentenceOf({ ...incident, ...withInspection(incident, { readers: [seen] }) }),
    '`agent` read smaps of `mysqld` and blocked its munmap for 70 ms.',
  );
});

test('an observation that was interrupted says so', () => {
  const incident = incidentOf([stall(epoch, 70 * ms, { readers: [reader(70 * ms)] })]);
  assert.equal(
    sentenceOf({ ...incident, interrupted: true }),
    '`process-exporte` read smaps of `mysqld` and blocked its munmap for 70 ms. The observation was interrupted ' +
      'meanwhile.',
  );
});
