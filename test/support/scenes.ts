/** Situations that more than one test looks at. */
import { epoch, FakeDaemon, type FakeDaemonOptions } from './daemon.js';
import {
  blockRow,
  ongoingWait,
  processRow,
  procFileRow,
  readerBlockRow,
  readerRow,
  tick,
  unblockedRow,
  victimVmaWaitRow,
  waitRow,
} from './records.js';

/** The cost of a tracer that runs, with one probe that was skipped at times. */
const cost = {
  cpuSeconds: 1.5,
  residentBytes: 150 * 2 ** 20,
  mapBytes: 4 * 2 ** 20,
  misses: new Map([
    ['tracepoint:lock:contention_begin', 3],
    ['tracepoint:lock:contention_end', 0],
  ]),
  probeRunSeconds: 2.5,
  probeCostRatio: 0.003,
};

/**
 * A host after one tracer was killed and the next has ticked: waits in both modes, one still going on, a reader of
 * maps that retries and once gives up, one of smaps that blocks, a convoy behind it, writers that wait for one VMA,
 * and every kind of loss. It has a sample of every family.
 */
export const busyDaemon = (options: FakeDaemonOptions = {}): FakeDaemon =>
  new FakeDaemon({
    cost,
    processNames: { 42: 'postgres' },
    ...options,
    flags: { 'metrics.watched_victims': ['mysqld', 'postgres'], ...options.flags },
  }).apply(
    { kind: 'tracer_started', at: epoch },
    tick(epoch + 1000, {
      waits: [waitRow('write', 'munmap', 2, 6_000_000), waitRow('read', 'page_fault', 3, 90_000)],
      processes: [processRow('mysqld', 'write', 2, 6_000_000), processRow('mysqld', 'read', 3, 90_000)],
      durations: [
        { mode: 'write', buckets: [{ floorMicroseconds: 2048, count: 2 }] },
        { mode: 'read', buckets: [{ floorMicroseconds: 16, count: 3 }] },
      ],
      procFiles: [
        procFileRow('maps', { opens: 10, reads: 30, retries: 4, fallbacks: 1 }),
        procFileRow('smaps', { opens: 2, reads: 6, waits: 1, waitNanoseconds: 30_000 }),
        procFileRow('remote', { waits: 1, waitNanoseconds: 20_000 }),
      ],
      readers: [
        readerRow('cat', 'maps', { opens: 10, reads: 30, retries: 4, fallbacks: 1 }),
        readerRow('agent "x"', 'smaps', { opens: 2, reads: 6, waits: 1, waitNanoseconds: 30_000 }),
        readerRow('ps', 'remote', { waits: 1, waitNanoseconds: 20_000 }),
      ],
      // Of the 6 ms of the writers 5.5 are the smaps reader's; the rest no reader can be shown to own.
      blocks: [blockRow('smaps', 2, 5_500_000), blockRow(undefined, 1, 500_000)],
      blockDurations: [
        { file: 'smaps', buckets: [{ floorMicroseconds: 2048, count: 2 }] },
        { file: undefined, buckets: [{ floorMicroseconds: 256, count: 1 }] },
      ],
      readerBlocks: [
        readerBlockRow('agent "x"', 'mysqld', 'smaps', 2, 5_500_000),
        readerBlockRow(undefined, 'mysqld', undefined, 1, 500_000),
      ],
      unblocked: [unblockedRow('read', 3, 90_000)],
      vmaWaits: { count: 3, nanoseconds: 700_000 },
      victimVmaWaits: [victimVmaWaitRow('mysqld', 2, 600_000), victimVmaWaitRow('jvm', 1, 100_000)],
      convoys: { count: 2, nanoseconds: 60_000 },
      victimConvoys: [victimVmaWaitRow('mysqld', 2, 60_000)],
      writersBlocked: [{ file: 'smaps', nanoseconds: 3_000_000 }],
      victimsBlocked: [{ name: 'mysqld', cgroupId: '4711', nanoseconds: 3_000_000 }],
      untoldStalls: 1,
    }),
    { kind: 'events_lost', at: epoch + 1500, events: 7 },
    { kind: 'events_lost', at: epoch + 1500, events: 2, reason: 'busy', map: 'waiting' },
    { kind: 'undecodable', at: epoch + 1600, reason: 'no JSON' },
    { kind: 'tracer_stopped', at: epoch + 2000, reason: 'killed', handedOver: false },
    { kind: 'tracer_started', at: epoch + 4000 },
    { kind: 'map_overflow', at: epoch + 4500, map: 'process_waits', updates: 5 },
    tick(epoch + 5000, {
      waits: [waitRow('write', 'mmap', 1, 2 ** 28 * 1000)],
      processes: [processRow('a "b" \\c', 'write', 1, 2 ** 28 * 1000, { cgroupId: '99' })],
      durations: [{ mode: 'write', buckets: [{ floorMicroseconds: 2 ** 28, count: 1 }] }],
      ongoing: [ongoingWait('read', 'page_fault', 0.25), ongoingWait('read', 'page_fault', 1.75)],
      procFiles: [procFileRow('maps', { opens: 1, reads: 3 })],
      readers: [readerRow('cat', 'maps', { opens: 1, reads: 3 }, { lastPid: 4343 })],
      unblocked: [unblockedRow('write', 1, 2 ** 28 * 1000)],
      vmaWaits: { count: 1, nanoseconds: 50_000 },
      victimVmaWaits: [victimVmaWaitRow('mysqld', 1, 50_000)],
    }),
  );

/** Nothing has been heard of a tracer yet. */
export const silentDaemon = (options: FakeDaemonOptions = {}): FakeDaemon =>
  new FakeDaemon({ tracer: { phase: 'starting', since: epoch }, ...options });

/** A tracer has ticked, and nobody waited. */
export const quietDaemon = (options: FakeDaemonOptions = {}): FakeDaemon =>
  new FakeDaemon(options).apply({ kind: 'tracer_started', at: epoch + 1000 }, tick(epoch + 1000));
