import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from '../../src/ledger/ledger.js';
import { WatchedLedger } from '../../src/ledger/watched.js';
import { ongoingWait, tick } from '../support/records.js';

const names = ['mysqld', 'postgres'];
const processes: Readonly<Record<number, string>> = { 1: 'mysqld', 2: 'mysqld', 3: 'postgres', 4: 'agent' };
const labelOfPid = (pid: number): string | undefined => processes[pid];
const byComm = (name: string): string => name;

const waiting = (pid: number, seconds: number) => ongoingWait('write', 'mmap', seconds, { pid });
const blockedFor = (name: string, nanoseconds: number, cgroupId = '7') => ({ name, cgroupId, nanoseconds });
const said = (parts: Partial<Parameters<WatchedLedger['apply']>[0]>) => ({
  ongoing: [],
  victimsBlocked: [],
  ...parts,
});

test('every name that is watched is there from the start, at 0, and no other ever', () => {
  const zeros = [
    ['mysqld', 0],
    ['postgres', 0],
  ];
  const ledger = new WatchedLedger({ names, labelOfPid }, byComm);
  assert.deepEqual([...ledger.blocked], zeros);
  assert.deepEqual([...(ledger.oldest ?? [])], zeros);
  ledger.apply(said({ ongoing: [waiting(4, 60)], victimsBlocked: [blockedFor('agent', 5)] }));
  assert.deepEqual([...ledger.blocked], zeros);
  assert.deepEqual([...(ledger.oldest ?? [])], zeros);
});

test('of all processes of a name, in either mode, the longest wait that still goes on counts', () => {
  const ledger = new WatchedLedger({ names, labelOfPid }, byComm);
  ledger.apply(
    said({
      ongoing: [
        waiting(1, 2),
        waiting(2, 7),
        ongoingWait('read', 'page_fault', 9, { pid: 3 }),
        waiting(3, 1),
      ],
    }),
  );
  assert.deepEqual(
    [...(ledger.oldest ?? [])],
    [
      ['mysqld', 7],
      ['postgres', 9],
    ],
  );
  ledger.apply(said({ ongoing: [waiting(2, 8)] }));
  assert.deepEqual(
    [...(ledger.oldest ?? [])],
    [
      ['mysqld', 8],
      ['postgres', 0],
    ],
    'a wait that ended is told no more',
  );
});

test('each process is asked for once a tick, and none where no name is watched', () => {
  const asked: number[] = [];
  const ask = (pid: number): string => {
    asked.push(pid);
    return 'agent';
  };
  const ongoing = Array.from({ length: 256 }, (_, index) => waiting(index % 3, index));
  new WatchedLedger({ names, labelOfPid: ask }, byComm).apply(said({ ongoing }));
  assert.deepEqual(asked.sort(), [0, 1, 2]);
  new WatchedLedger({ names: [], labelOfPid: ask }, byComm).apply(said({ ongoing }));
  assert.equal(asked.length, 3);
});

test('where pids tell nobody, the longest wait is not known, and not 0', () => {
  const ledger = new WatchedLedger({ names }, byComm);
  ledger.apply(said({ ongoing: [waiting(1, 60)], victimsBlocked: [blockedFor('mysqld', 5)] }));
  assert.equal(ledger.oldest, undefined);
  assert.equal(ledger.blocked.get('mysqld'), 5);
});

test('blocked time of one name adds up over cgroups, and never goes back over tracers', () => {
  const ledger = new WatchedLedger({ names, labelOfPid }, byComm);
  ledger.apply(said({ victimsBlocked: [blockedFor('mysqld', 500), blockedFor('mysqld', 30, '8')] }));
  ledger.apply(said({ victimsBlocked: [blockedFor('mysqld', 700), blockedFor('mysqld', 30, '8')] }));
  assert.equal(ledger.blocked.get('mysqld'), 730);
  ledger.apply(said({}));
  assert.equal(ledger.blocked.get('mysqld'), 730, 'a row may be left out of a tick');
  ledger.restart();
  assert.equal(ledger.blocked.get('mysqld'), 730);
  ledger.apply(said({ victimsBlocked: [blockedFor('mysqld', 20)] }));
  assert.equal(ledger.blocked.get('mysqld'), 750);
});

test('names are those that labels hold', () => {
  const units: Readonly<Record<string, string>> = { '7': 'mysql.service' };
  const ledger = new WatchedLedger(
    { names: ['mysql.service'], labelOfPid: () => 'mysql.service' },
    (name, cgroupId) => units[cgroupId] ?? name,
  );
  ledger.apply(
    said({
      ongoing: [waiting(1, 3)],
      victimsBlocked: [blockedFor('mysqld', 5), blockedFor('mysqld', 9, '8')],
    }),
  );
  assert.deepEqual([...ledger.blocked], [['mysql.service', 5]]);
  assert.deepEqual([...(ledger.oldest ?? [])], [['mysql.service', 3]]);
});

const whole = () =>
  new Ledger({ waits: { slots: 5, rowLimit: 500, label: byComm }, watched: { names, labelOfPid } });
const oldestOf = ({ watched }: Ledger) => watched.oldest?.get('mysqld');

test('when a tracer ends, and when the next begins, nobody is known to wait', () => {
  const ledger = whole();
  ledger.apply({ kind: 'tracer_started', at: 1 });
  ledger.apply(tick(2, { ongoing: [waiting(1, 6)] }));
  assert.equal(oldestOf(ledger), 6);
  ledger.apply({ kind: 'tracer_stopped', at: 3, reason: 'killed', handedOver: false });
  assert.equal(oldestOf(ledger), 0);
  ledger.apply({ kind: 'tracer_started', at: 4 });
  assert.equal(oldestOf(ledger), 0);
});

test('64 older waits of others do not hide that of a watched one', () => {
  const ledger = whole();
  const others = Array.from({ length: 200 }, (_, index) => waiting(4, 100 + index));
  ledger.apply({ kind: 'tracer_started', at: 1 });
  ledger.apply(tick(2, { ongoing: [...others, waiting(1, 6)] }));
  assert.equal(oldestOf(ledger), 6);
});
