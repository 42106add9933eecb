import assert from 'node:assert/strict';
import { test } from 'node:test';
import { progressHeader, progressLine, summaryOf } from '../../../src/cli/demo/summary.js';
import type { LockPathEvidence } from '../../../src/probes/lock-path/evidence.js';
import type { Tick } from '../../../src/records.js';
import type { LockPath } from '../../../src/vocabulary.js';
import { epoch, FakeDaemon, type FakeDaemonOptions, planOf } from '../../support/daemon.js';
import {
  blockRow,
  processRow,
  procFileRow,
  readerBlockRow,
  readerRow,
  tick,
  unblockedRow,
  victimVmaWaitRow,
  waitRow,
} from '../../support/records.js';

/** Writers that waited 3.5 s in all, 2.4 s of them behind the reader of smaps. */
const contention: Partial<Tick> = {
  waits: [
    waitRow('write', 'mprotect', 8_500, 3_000_000_000),
    waitRow('read', 'page_fault', 1_200, 500_000_000),
    waitRow('read', 'proc_read', 2_000, 9_000_000_000),
  ],
  processes: [
    processRow('writers', 'write', 8_500, 3_000_000_000, { lastPid: 28405 }),
    processRow('writers', 'read', 1_200, 500_000_000, { lastPid: 28405 }),
    processRow('smaps-reader', 'read', 2_000, 9_000_000_000),
  ],
  procFiles: [
    procFileRow('maps', { opens: 700, reads: 61_334, retries: 88 }),
    procFileRow('smaps', { opens: 20, reads: 1_234 }),
  ],
  readers: [
    readerRow('maps-reader', 'maps', { opens: 699, reads: 61_234, retries: 87 }),
    readerRow('cat', 'maps', { opens: 1, reads: 100, retries: 1 }),
    readerRow('smaps-reader', 'smaps', { opens: 20, reads: 1_234 }),
  ],
  blocks: [blockRow('maps', 3, 1_000_000), blockRow('smaps', 8_124, 2_400_500_000)],
  readerBlocks: [
    readerBlockRow('maps-reader', 'writers', 'maps', 3, 1_000_000),
    readerBlockRow('smaps-reader', 'writers', 'smaps', 8_123, 2_400_000_000),
    readerBlockRow('agent', 'mysqld', 'smaps', 1, 500_000),
  ],
  unblocked: [unblockedRow('write', 573, 598_500_000), unblockedRow('read', 3_200, 9_500_000_000)],
};

const seen = (parts: Partial<Tick>, options: FakeDaemonOptions = {}): FakeDaemon['view'] =>
  new FakeDaemon(options).apply({ kind: 'tracer_started', at: epoch }, tick(epoch + 1000, parts)).view;

const served = (maps: LockPath, smaps: LockPath): LockPathEvidence[] => [
  { file: 'maps', path: maps, by: 'both', evidence: 'It is so.' },
  { file: 'smaps', path: smaps, by: 'both', evidence: 'It is so.' },
];

const waits =
  'writers (pid 28405) waited 9,700 times for its own mmap_lock, 3.500 thread-seconds in all: ' +
  '8,500 times to write, 1,200 times to read; most of the time was lost in mprotect (write).';

test('one sentence on the waits, and one on both readers: what others read and blocked is left out', () => {
  assert.equal(
    summaryOf(seen(contention)),
    `${waits}\n\n` +
      'The reader of maps (served under per-VMA locks) made 61,234 reads, had to retry 87 times and blocked ' +
      'writers 3 times, for 0.001 thread-seconds in all; the reader of smaps (served under mmap_lock) made ' +
      '1,234 reads and blocked writers 8,123 times, for 2.400 thread-seconds in all.',
  );
});

test('a reader of maps under mmap_lock blocks and has nothing to retry; one of smaps under VMA locks retries', () => {
  const swapped: Partial<Tick> = {
    procFiles: [procFileRow('maps', { reads: 500 }), procFileRow('smaps', { reads: 400, retries: 2 })],
    readers: [
      readerRow('maps-reader', 'maps', { reads: 500 }),
      readerRow('smaps-reader', 'smaps', { reads: 400, retries: 2 }),
    ],
  };
  const sentence = summaryOf(
    seen({ ...contention, ...swapped }, { lockPaths: served('mmap_lock', 'per_vma_lock') }),
  );
  assert.match(
    sentence,
    /The reader of maps \(served under mmap_lock\) made 500 reads and blocked writers 3 times/,
  );
  assert.match(
    sentence,
    /smaps \(served under per-VMA locks\) made 400 reads, had to retry 2 times and blocked/,
  );
});

test('where the path cannot be told it is not named', () => {
  assert.match(
    summaryOf(seen(contention, { lockPaths: [] })),
    /The reader of maps made 61,234 reads, had to retry 87 times and blocked writers 3 times, .*; the reader of smaps made 1,234 reads and blocked writers 8,123 times/,
  );
});

test('one is once, none is never, and a little is no 0.000', () => {
  const sentence = summaryOf(
    seen({
      waits: [waitRow('write', 'mmap', 1, 40_000)],
      processes: [processRow('writers', 'write', 1, 40_000)],
      procFiles: [procFileRow('maps', { reads: 1 }), procFileRow('smaps', { reads: 2 })],
      readers: [
        readerRow('maps-reader', 'maps', { reads: 1 }),
        readerRow('smaps-reader', 'smaps', { reads: 2 }),
      ],
      blocks: [blockRow('smaps', 1, 40_000)],
      readerBlocks: [readerBlockRow('smaps-reader', 'writers', 'smaps', 1, 40_000)],
    }),
  );
  assert.equal(
    sentence,
    'writers (pid 42) waited once for its own mmap_lock, less than 0.001 thread-seconds in all: once to write, ' +
      '0 times to read; most of the time was lost in mmap (write).\n\n' +
      'The reader of maps (served under per-VMA locks) made 1 read, never had to retry and never blocked ' +
      'writers; the reader of smaps (served under mmap_lock) made 2 reads and blocked writers once, for less ' +
      'than 0.001 thread-seconds in all.',
  );
});

test('nothing seen', () => {
  assert.equal(
    summaryOf(seen({})),
    'Nobody had to wait this time: the threads never met. Try again, or with --seconds 60.\n\n' +
      'No read of maps was seen; no read of smaps was seen.',
  );
});

test('writers that only slept for a VMA did not wait for mmap_lock', () => {
  const slept = seen({
    vmaWaits: { count: 3, nanoseconds: 3000 },
    victimVmaWaits: [victimVmaWaitRow('writers', 3, 3000)],
  });
  assert.match(summaryOf(slept), /^Nobody had to wait this time/);
});

test('what is not observed is no 0: it is named with the reason, and the rest is still said', () => {
  const switchedOff = {
    code: 'switched_off',
    detail: '--retries off (probes.retries) leaves it out',
  } as const;
  const plan = planOf();
  const noRetries = {
    ...plan,
    observables: { ...plan.observables, retries: { observed: false, reason: switchedOff } },
  };
  const withoutRetries = summaryOf(seen(contention, { plan: noRetries }));
  assert.match(withoutRetries, /maps \(served under per-VMA locks\) made 61,234 reads and blocked writers 3/);
  assert.ok(
    withoutRetries.endsWith(
      '\n\nNot observed on this host:\n  retries  --retries off (probes.retries) leaves it out',
    ),
  );

  const readsOnly = summaryOf(seen(contention, { plan: planOf(['waits', 'operations', 'opens', 'reads']) }));
  assert.match(readsOnly, /The reader of maps [^;]* made 61,234 reads; the reader of smaps [^;]* reads\.\n/);

  const waitsOnly = summaryOf(seen(contention, { plan: planOf(['waits', 'operations']) }));
  const reason = 'no fragment of this version provides it';
  assert.equal(
    waitsOnly,
    `${waits}\n\nNot observed on this host:\n  reads    ${reason}\n  retries  ${reason}\n  blocks   ${reason}`,
  );
});

test('the table: its columns hold what was seen so far, and - for what is not observed', () => {
  const cells = (line: string): string[] => line.trim().split(/ {1,}/);
  assert.deepEqual(cells(progressLine(seen(contention), 4_004)), [
    ...['4', 's', '9,700', '3.500'],
    ...['61,234', '87', '3', '0.001'],
    ...['1,234', '-', '8,123', '2.400'],
  ]);
  assert.deepEqual(cells(progressLine(seen({}, { plan: planOf(['waits', 'operations']) }), 2_000)), [
    ...['2', 's', '0', '0.000'],
    ...['-', '-', '-', '-'],
    ...['-', '-', '-', '-'],
  ]);
  const [groups, columns] = progressHeader().split('\n');
  assert.match(groups!, /waits of writers +reader of maps +reader of smaps$/);
  const line = progressLine(seen(contention), 4_004);
  assert.deepEqual([groups!.length, line.length], [columns!.length, columns!.length], 'they end together');
});
