import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Recording } from '../../../src/cli/record/recording.js';
import { summaryOf } from '../../../src/cli/record/summary.js';
import { epoch, type FakeDaemon, planOf } from '../../support/daemon.js';
import { processRow, stall, stallReader, tick, waitRow } from '../../support/records.js';
import { busyDaemon, quietDaemon } from '../../support/scenes.js';

const summary = (daemon: FakeDaemon, more: Partial<Recording> = {}): string =>
  summaryOf({
    view: daemon.view,
    startedAt: epoch,
    endedAt: epoch + 30_000,
    gaps: [],
    incidents: daemon.ledger.incidents.list(),
    ...more,
  });

/** Runs of spaces are one: how wide a column is depends on its rows. */
const narrow = (text: string): string => text.replace(/ {2,}/g, '  ');

const holds = (text: string, ...parts: readonly string[]): void => {
  for (const part of parts) assert.ok(narrow(text).includes(part), `${part}\nin:\n${text}`);
};

const mysql = { path: '/', unit: 'mysql.service', containerId: undefined, podUid: undefined };

test('a busy host: who waited, who read, who blocked whom, and what was lost', () => {
  const text = summary(busyDaemon({ processNames: { 42: 'mysqld' }, cgroups: { 4711: mysql } }));
  holds(
    text,
    'Observed for 30.0 s on Linux 6.1.0-test-amd64: 2025-06-01 from 12:00:00 to 12:00:30 UTC.\n\n',
    'Waits for mmap_lock: 6, 268.442 thread-seconds in all.\n',
    '\n  write  munmap  2  0.006\n',
    '\n  read  page_fault  3  <0.001\n',
    '\n  The longest to write: 1 of 134.2 s or more, 2 of 2.0 ms to 4.1 ms.\n',
    '\n  The longest to read: 3 of 16 us to 32 us.\n',
    'Who waited most:\n',
    '\n  mysqld  mysql.service  2  0.006  3  <0.001  3  0.001\n',
    'Who read which file of /proc/PID:\n',
    '\n  cat  mysql.service  maps  mysqld  11  33  4  0  0.000\n',
    '\n  ps  mysql.service  remote  mysqld  -  -  -  1  <0.001\n',
    'Who blocked whom, in thread-seconds:\n',
    '\n  agent "x"  smaps  mysqld  2  0.006\n',
    '\n  ~unknown  ~unknown  mysqld  1  0.001\n',
    '\n  smaps  mmap_lock  2  0.006  0.003\n',
    'Convoys: 2 read waits queued behind writers that readers blocked, for <0.001 thread-seconds.\n',
    'Lost, so that figures above may be too low:\n  7 events that bpftrace could not hand over\n',
    '  1 line that could not be understood\n  5 updates that a full map refused\n',
    'What these probes cannot see: 11 things; `mmaplockd check` names them.\n',
  );
  assert.doesNotMatch(text, /Not observed/);
  assert.ok(text.indexOf('a "b" \\c') < text.indexOf('mysqld'), 'who waited most stands first');
});

test('a gap: it is told with its reason, and taken off the time observed', () => {
  holds(
    summary(busyDaemon(), { gaps: [{ reason: 'killed', seconds: 2 }] }),
    'Observed for 28.0 s on',
    '\nOf that time 2.0 s were not observed (killed): what happened then is in no figure below.\n',
  );
});

test('incidents: each with its sentence, and what to do about it', () => {
  const reader = stallReader('process-exporte', 'smaps', 180e6);
  const convoy = { count: 41, nanoseconds: 5e9, longestQueue: 12 };
  const daemon = busyDaemon({ cgroups: { 4711: mysql } });
  daemon.apply(stall(epoch + 5_500, 180e6, { readers: [reader], convoy }));
  holds(
    summary(daemon),
    '1 incident (a writer waited for 50 ms in one wait, or 20 % of 10 s behind readers):\n' +
      '  12:00:05.320 `process-exporte` read smaps of `mysqld` (unit mysql.service) and blocked its munmap for ' +
      '180 ms; 41 page faults queued behind it.\n' +
      '  Start process-exporter with -gather-smaps=false',
  );
});

test('of many incidents the longest are told, and how many more there were', () => {
  const daemon = busyDaemon();
  for (let pid = 1; pid <= 12; pid++) {
    const victim = { name: `victim-${pid}`, cgroupId: '1', pid, tid: pid };
    daemon.apply(stall(epoch + 6_000 + pid * 1000, 1e9 + pid * 1e8, { victim }));
  }
  const text = summary(daemon);
  holds(text, '12 incidents (', '\n  and 2 shorter\n');
  assert.doesNotMatch(text, /`victim-[12]`/);
  assert.match(text, /`victim-3`[\s\S]*`victim-12`/);
});

test('a quiet host: it was looked at, and nothing was seen', () => {
  const text = summary(quietDaemon());
  holds(
    text,
    '\nNobody had to wait for an mmap_lock.\n',
    '\nNobody read a proc file that shows an address space.\n',
    '\nNo reader of a proc file was seen to block anybody.\n',
    '\nNo convoy: nothing queued behind a writer that a reader blocked.\n',
    '\nNo incident: no writer waited for 50 ms in one wait, or 20 % of 10 s behind readers.\n',
  );
  assert.doesNotMatch(text, /Lost|Not observed|Who /);
});

test('what is not observed is named with its reason, and nothing is said of it that could pass for 0', () => {
  const text = summary(quietDaemon({ plan: planOf(['waits', 'operations']) }));
  const reason = 'no fragment of this version provides it';
  holds(
    text,
    `\nNot observed:\n  opens  ${reason}\n  reads  ${reason}\n  retries  ${reason}\n`,
    `  blocks  ${reason}\n`,
    `  stalls  ${reason}\n`,
  );
  assert.doesNotMatch(text, /Nobody read|to block anybody|No convoy|No incident/);
  const someOf = planOf(['waits', 'operations', 'opens', 'blocks']);
  const partly = summary(busyDaemon({ plan: someOf, processNames: { 42: 'mysqld' } }));
  holds(
    partly,
    '\n  cat  -  maps  mysqld  11  -  -  0  0.000\n',
    '\n  smaps  mmap_lock  2  0.006  -\n',
    '\n  mysqld  -  2  0.006  3  <0.001  -  -\n',
  );
});

test('of many processes the first ten are told, and how many more there are', () => {
  const names = Array.from({ length: 14 }, (_, index) => `process-${index}`);
  const daemon = quietDaemon().apply(
    tick(epoch + 2000, {
      waits: [waitRow('write', 'mmap', 14, 14e9)],
      processes: names.map((name, index) => processRow(name, 'write', 1, (index + 1) * 1e8)),
    }),
  );
  const text = summary(daemon);
  holds(text, '\n  process-13  ', '\n  process-4  ', '\n  and 4 more\n');
  assert.doesNotMatch(text, /process-3 /);
});
