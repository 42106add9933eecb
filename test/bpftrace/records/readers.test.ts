import assert from 'node:assert/strict';
import { test } from 'node:test';
import { procFileRows, type readerMaps, readerRows } from '../../../src/bpftrace/records/readers.js';
import type { MapRows } from '../../../src/bpftrace/records/rows.js';
import { procFiles } from '../../../src/vocabulary.js';
import { noReads as nothing } from '../../support/records.js';
import { rows, words } from '../map-rows.js';

type Maps = Partial<Record<keyof typeof readerMaps, MapRows>>;
const of = (maps: Maps) => (map: keyof typeof readerMaps) => maps[map] ?? [];

test('each file has its number', () => {
  const opens = rows(...procFiles.map((_, index) => [[index + 1], index + 10] as const));
  assert.deepEqual(
    procFileRows(of({ '@proc_opens': opens })),
    procFiles.map((file, index) => ({ ...nothing, file, opens: index + 10 })),
  );
});

test('what is counted of a file comes together; what is not traced is 0', () => {
  const told = procFileRows(
    of({
      '@proc_opens': rows([[1], 1]),
      '@proc_reads': rows([[1], 2], [[2], 20]),
      '@proc_retries': rows([[1], 3]),
      '@proc_fallbacks': rows([[2], 6]),
      '@proc_read_waits': rows([[8], 4]),
      '@proc_read_wait_ns': rows([[8], 5n]),
    }),
  );
  assert.deepEqual(told, [
    { ...nothing, file: 'maps', opens: 1, reads: 2, retries: 3 },
    { ...nothing, file: 'smaps', reads: 20, fallbacks: 6 },
    { ...nothing, file: 'remote', waits: 4, waitNanoseconds: 5 },
  ]);
});

test('a reader is its name, its cgroup and the file', () => {
  const name = words('cat');
  const told = readerRows(
    of({
      '@reader_opens': rows([[...name, 77, 1], 1]),
      '@reader_reads': rows([[...name, 77, 1], 2], [[...name, 77, 2], 20], [[...name, 78, 1], 200]),
      '@reader_retries': rows([[...name, 77, 1], 3]),
      '@reader_fallbacks': rows([[...name, 77, 1], 6]),
      '@reader_waits': rows([[...name, 77, 2], 4]),
      '@reader_wait_ns': rows([[...name, 77, 2], 5]),
      '@reader_last': rows([[...name, 77, 1], (4242n << 32n) | 42n], [[...name, 78, 1], 7n << 32n]),
    }),
  );
  const cat = { ...nothing, name: 'cat', lastPid: undefined, lastTargetPid: undefined };
  assert.deepEqual(told, [
    {
      ...cat,
      cgroupId: '77',
      file: 'maps',
      opens: 1,
      reads: 2,
      retries: 3,
      fallbacks: 6,
      lastPid: 4242,
      lastTargetPid: 42,
    },
    { ...cat, cgroupId: '77', file: 'smaps', reads: 20, waits: 4, waitNanoseconds: 5 },
    { ...cat, cgroupId: '78', file: 'maps', reads: 200, lastPid: 7 },
  ]);
});

test('a reader left out of one map is told from the others; one known by its pid alone did nothing', () => {
  const [a, b] = [words('a'), words('b')];
  const told = readerRows(
    of({
      '@reader_opens': rows([[...a, 1, 1], 9]),
      '@reader_wait_ns': rows([[...b, 1, 1], 900]),
      '@reader_last': rows([[...words('c'), 1, 1], 1n << 32n]),
    }),
  );
  assert.deepEqual(
    told.map(({ name, opens, waitNanoseconds }) => [name, opens, waitNanoseconds]),
    [
      ['a', 9, 0],
      ['b', 0, 900],
    ],
  );
});

test('a pid arrives whole, however large', () => {
  const largest = 2 ** 22 - 1; // PID_MAX_LIMIT on 64 bits, include/linux/threads.h
  const key = [...words('cat'), 1, 1];
  const last = rows([key, (BigInt(largest) << 32n) | BigInt(largest)]);
  const [row] = readerRows(of({ '@reader_reads': rows([key, 1]), '@reader_last': last }));
  assert.deepEqual([row?.lastPid, row?.lastTargetPid], [largest, largest]);
});
