import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TickSummaries, type TickSummary } from '../../../src/api/stream/tick-summary.js';
import type { TracerRecord } from '../../../src/records.js';
import { epoch, FakeDaemon, type FakeDaemonOptions, planOf } from '../../support/daemon.js';
import {
  blockRow,
  ongoingWait,
  processRow,
  procFileRow,
  readerBlockRow,
  readerRow,
  tick,
  waitRow,
} from '../../support/records.js';

/** Applies records as the daemon does, and gives the summary after each. */
const summariesOf = (options: FakeDaemonOptions = {}): ((record: TracerRecord) => TickSummary) => {
  const daemon = new FakeDaemon(options);
  const summaries = new TickSummaries(daemon.ledger, () => daemon.plan, daemon.view);
  daemon.apply({ kind: 'tracer_started', at: epoch });
  return (record) => {
    daemon.apply(record);
    return summaries.next(record.at);
  };
};

/** A tick of a reader that blocks a writer; all amounts are multiples of a first one. */
const busyTick = (at: number, times: number, more: Parameters<typeof tick>[1] = {}) =>
  tick(at, {
    waits: [
      waitRow('write', 'munmap', 2 * times, 3e9 * times),
      waitRow('read', 'page_fault', times, 1e9 * times),
    ],
    processes: [
      processRow('mysqld', 'write', 2 * times, 3e9 * times),
      processRow('mysqld', 'read', times, 1e9 * times),
    ],
    procFiles: [procFileRow('smaps', { opens: times, reads: 5 * times, retries: 0 })],
    readers: [readerRow('agent', 'smaps', { opens: times, reads: 5 * times })],
    blocks: [blockRow('smaps', times, 3e9 * times), blockRow(undefined, times, 1e9 * times)],
    readerBlocks: [
      readerBlockRow('agent', 'mysqld', 'smaps', times, 3e9 * times),
      readerBlockRow(undefined, 'mysqld', undefined, times, 1e9 * times),
    ],
    ...more,
  });

const expected: Omit<TickSummary, 'as_of' | 'interval_seconds'> = {
  tracer_up: true,
  waits: [
    { mode: 'read', waits: 1, wait_seconds: 1, ongoing: 0, oldest_wait_seconds: 0 },
    { mode: 'write', waits: 2, wait_seconds: 3, ongoing: 0, oldest_wait_seconds: 0 },
  ],
  files: [
    { file: 'smaps', opens: 1, reads: 5, retries: 0, blocks: 1, block_seconds: 3 },
    { file: '~unknown', opens: null, reads: null, retries: null, blocks: 1, block_seconds: 1 },
  ],
  processes: [{ process: 'mysqld', cgroup_id: '4711', waits: 3, wait_seconds: 4 }],
  readers: [{ file: 'smaps', reader: 'agent', cgroup_id: '4711', opens: 1, reads: 5, retries: 0 }],
  blocks: [
    { file: 'smaps', reader: 'agent', victim: 'mysqld', blocks: 1, block_seconds: 3 },
    { file: '~unknown', reader: '~unknown', victim: 'mysqld', blocks: 1, block_seconds: 1 },
  ],
};

test('a summary holds what its tick added, not what was before', () => {
  const next = summariesOf();
  assert.deepEqual(next(busyTick(epoch + 1000, 1)), {
    as_of: '2025-06-01T12:00:01.000Z',
    interval_seconds: null,
    ...expected,
  });
  assert.deepEqual(next(busyTick(epoch + 2500, 2)), {
    as_of: '2025-06-01T12:00:02.500Z',
    interval_seconds: 1.5,
    ...expected,
  });
  const quiet = next(busyTick(epoch + 3500, 2));
  assert.deepEqual(
    quiet.waits.map(({ waits, wait_seconds }) => [waits, wait_seconds]),
    [
      [0, 0],
      [0, 0],
    ],
  );
  assert.deepEqual([quiet.files, quiet.processes, quiet.readers, quiet.blocks], [[], [], [], []]);
});

test('a tick that could not be understood whole adds nothing; the next one has it all', () => {
  const next = summariesOf();
  const torn = next(busyTick(epoch + 1000, 1, { complete: false }));
  assert.deepEqual([torn.files, torn.processes], [[], []]);
  assert.deepEqual(next(busyTick(epoch + 2000, 1)).files, expected.files);
});

test('waits still going on, and the end of the tracer with them', () => {
  const next = summariesOf();
  const ongoing = [
    ongoingWait('write', 'mmap', 0.5),
    ongoingWait('write', 'munmap', 2.5),
    ongoingWait('read', 'page_fault', 1),
  ];
  const seen = ({ tracer_up, waits }: TickSummary) => [
    tracer_up,
    ...waits.map(({ ongoing, oldest_wait_seconds }) => [ongoing, oldest_wait_seconds]),
  ];
  assert.deepEqual(seen(next(tick(epoch + 1000, { ongoing }))), [true, [1, 1], [2, 2.5]]);
  const stopped = { kind: 'tracer_stopped', at: epoch + 2000, reason: 'killed', handedOver: false } as const;
  assert.deepEqual(seen(next(stopped)), [false, [0, 0], [0, 0]]);
});

test('the counts of a new tracer begin at zero, and are not taken for less', () => {
  const next = summariesOf();
  next(busyTick(epoch + 1000, 3));
  next({ kind: 'tracer_stopped', at: epoch + 2000, reason: 'killed', handedOver: false });
  next({ kind: 'tracer_started', at: epoch + 3000 });
  const { as_of, interval_seconds, ...rest } = next(busyTick(epoch + 4000, 1));
  assert.deepEqual(rest, expected);
});

test('of many names the five that grew most in this tick, whatever they had before', () => {
  const next = summariesOf();
  const rows = (amounts: readonly number[]) =>
    amounts.map((amount, index) => processRow(`p${index}`, 'write', 1, amount * 1e9));
  const ticked = (at: number, amounts: readonly number[]) =>
    next(
      tick(at, {
        waits: [waitRow('write', 'mmap', 7, amounts.reduce((sum, amount) => sum + amount) * 1e9)],
        processes: rows(amounts),
      }),
    ).processes.map(({ process, wait_seconds }) => [process, wait_seconds]);
  assert.deepEqual(ticked(epoch + 1000, [100, 6, 5, 4, 3, 2, 1]), [
    ['p0', 100],
    ['p1', 6],
    ['p2', 5],
    ['p3', 4],
    ['p4', 3],
  ]);
  assert.deepEqual(ticked(epoch + 2000, [100, 6, 5, 4, 3, 3, 3]), [
    ['p6', 2],
    ['p5', 1],
  ]);
});

test('what is not observed is null, never 0', () => {
  const next = summariesOf({ plan: planOf(['waits', 'opens']) });
  const procFiles = [procFileRow('maps', { opens: 2 })];
  const readers = [readerRow('cat', 'maps', { opens: 2 })];
  const { files, readers: top } = next(tick(epoch + 1000, { procFiles, readers }));
  assert.deepEqual(files, [
    { file: 'maps', opens: 2, reads: null, retries: null, blocks: null, block_seconds: null },
  ]);
  assert.deepEqual([top[0]?.opens, top[0]?.reads, top[0]?.retries], [2, null, null]);
});
