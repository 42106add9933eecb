import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ongoingWaits, processRows, waitDurations, waitRows } from '../../../src/bpftrace/records/waits.js';
import { context } from '../../../src/probes/operations.js';
import { read, rows, words, write } from '../map-rows.js';

test('system calls of one operation are added up, counts and times apart from each other', () => {
  const counts = rows(
    [[write, 0, 9], 5],
    [[write, 8, 192], 2], // mmap2 of a 32-bit program
    [[read, 0, -1], 7],
    [[read, 0, 0], 1], // a fault inside read()
  );
  const nanoseconds = rows(
    [[write, 0, 9], 500],
    [[write, 8, 192], 20],
    [[read, 0, -1], 70],
    [[read, 0, 0], 10],
  );
  assert.deepEqual(waitRows(counts, nanoseconds), [
    { mode: 'write', operation: 'mmap', count: 7, nanoseconds: 520 },
    { mode: 'read', operation: 'page_fault', count: 8, nanoseconds: 80 },
  ]);
});

test('a page fault is -1, however its 64 bits are printed', () => {
  const unsigned = rows([[read, 0, 2n ** 64n - 1n], 3]);
  assert.deepEqual(waitRows(unsigned, []), [
    { mode: 'read', operation: 'page_fault', count: 3, nanoseconds: 0 },
  ]);
});

test('a time without its count is kept: it is told together with the count of a later tick', () => {
  assert.deepEqual(waitRows([], rows([[write, 0, 11], 99])), [
    { mode: 'write', operation: 'munmap', count: 0, nanoseconds: 99 },
  ]);
});

test('a process is its name, its cgroup and the mode; the pid is shared by both modes', () => {
  const name = words('postgres');
  const counts = rows([[...name, 77, write], 3], [[...name, 77, read], 4], [[...name, 78, read], 1]);
  const nanoseconds = rows([[...name, 77, write], 300], [[...name, 77, read], 400]);
  assert.deepEqual(processRows(counts, nanoseconds, rows([[...name, 77], 4242])), [
    { name: 'postgres', cgroupId: '77', mode: 'write', count: 3, nanoseconds: 300, lastPid: 4242 },
    { name: 'postgres', cgroupId: '77', mode: 'read', count: 4, nanoseconds: 400, lastPid: 4242 },
    { name: 'postgres', cgroupId: '78', mode: 'read', count: 1, nanoseconds: 0, lastPid: undefined },
  ]);
});

test('a process whose count or time was left out of the largest is still told', () => {
  const [a, b] = [words('a'), words('b')];
  assert.deepEqual(processRows(rows([[...a, 1, write], 9]), rows([[...b, 1, write], 900]), []), [
    { name: 'a', cgroupId: '1', mode: 'write', count: 9, nanoseconds: 0, lastPid: undefined },
    { name: 'b', cgroupId: '1', mode: 'write', count: 0, nanoseconds: 900, lastPid: undefined },
  ]);
});

const names: readonly (readonly [string | readonly number[], string])[] = [
  ['fifteen letters', 'fifteen letters'],
  ['a, (b) "c"', 'a, (b) "c"'],
  ['evil\n# HELP x', 'evil\\x0a# HELP x'],
  ['\x1b[31mred', '\\x1b[31mred'],
  ['~other', '\\x7eother'],
  ['', '\\x00'],
  [[0xff, 0xfe, 0x41], '\\xff\\xfeA'],
  ['größe', 'größe'],
];

test('any bytes are a name, and none of them harms a terminal, a log or a label', () => {
  for (const [comm, expected] of names) {
    const [row] = processRows(rows([[...words(comm), 1, write], 1]), [], []);
    assert.equal(row?.name, expected);
  }
});

test('a cgroup id is what the kernel calls it, unsigned', () => {
  const [row] = processRows(rows([[...words('a'), -1, write], 1]), [], []);
  assert.equal(row?.cgroupId, '18446744073709551615');
});

test('durations are told by mode', () => {
  const buckets = [{ floorMicroseconds: 16, count: 1 }];
  assert.deepEqual(
    waitDurations([
      { key: [2n], value: buckets },
      { key: [4n], value: [] },
    ]),
    [
      { mode: 'read', buckets },
      { mode: 'write', buckets: [] },
    ],
  );
});

const how = (mode: number, bits: number, syscall: number): number =>
  ((syscall + 1) << 11) | (bits << 3) | mode;
/** One slot of @waiting. */
const slot = (place: number, start: bigint, pid: number, tid: number, packed: number) => ({
  key: [BigInt(place)],
  value: [start, (BigInt(pid) << 32n) | BigInt(tid), BigInt(packed)],
});

test('a wait that goes on is as old as the clock of the kernel says; a slot that is free is none', () => {
  const start = 10n ** 15n + 1n; // 11 days of uptime
  const waits = ongoingWaits(
    [
      slot(3, start + 1_000_000_000n, 9, 9, how(read, context.foreign, 0)),
      slot(4, 0n, 0, 0, 0),
      slot(255, start, 4_194_303, 8, how(read, 0, -1)),
    ],
    start + 1_500_000_000n,
  );
  assert.deepEqual(waits, [
    { mode: 'read', operation: 'page_fault', foreign: false, pid: 4_194_303, tid: 8, seconds: 1.5 },
    { mode: 'read', operation: 'other', foreign: true, pid: 9, tid: 9, seconds: 0.5 },
  ]);
});

test('all waits that go on are told, the oldest first', () => {
  const many = Array.from({ length: 256 }, (_, index) =>
    slot(index, BigInt(256 - index), 1, index, how(index % 2 === 0 ? read : write, 0, 9)),
  );
  const waits = ongoingWaits(many, 1_000_000_000n);
  assert.deepEqual(
    waits.map(({ tid }) => tid),
    many.map((_, index) => 255 - index),
  );
});

test('a wait that began after the clock was read is 0 s old, not less', () => {
  const [wait] = ongoingWaits([slot(0, 2000n, 7, 8, how(write, 0, 11))], 1000n);
  assert.equal(wait?.seconds, 0);
});

test('all context bits and every system call number survive their packing', () => {
  const at = (bits: number, syscall: number) =>
    ongoingWaits([slot(0, 1n, 1, 1, how(write, bits, syscall))], 1n)[0];
  assert.equal(at(context.exiting, 9)?.operation, 'exit');
  assert.equal(at(context.ioWorker, 9)?.operation, 'other');
  assert.equal(at(context.kernelThread, 9)?.operation, 'other');
  assert.equal(at(context.compat, 192)?.operation, 'mmap');
  assert.equal(at(context.foreign, 9)?.foreign, true);
  assert.equal(at(context.foreign | context.procRead, 0)?.operation, 'proc_read');
  assert.equal(at(255 & ~context.exiting, 9)?.operation, 'other', 'it is a kernel thread first');
  assert.equal(at(0, 435)?.operation, 'clone');
  assert.equal(at(0, 1022)?.operation, 'other');
});
