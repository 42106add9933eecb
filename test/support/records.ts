/** Records as the tracer sends them, for tests of what comes after it. */
import type { OwnSeen } from '../../src/own-records.js';
import type {
  BlockRow,
  OngoingWait,
  ProcessWaitRow,
  ProcFileRow,
  ReadCounts,
  ReaderBlockRow,
  ReaderRow,
  Stall,
  StallReader,
  Tick,
  UnblockedRow,
  VictimVmaWaitRow,
  WaitRow,
} from '../../src/records.js';
import type { Mode, Operation, ProcFile } from '../../src/vocabulary.js';

export const nothingSeen: OwnSeen = {
  registers: [],
  operations: [],
  ids: [undefined, undefined],
  reads: [],
};

export const tick = (at: number, parts: Partial<Omit<Tick, 'kind' | 'at'>> = {}): Tick => ({
  kind: 'tick',
  at,
  waits: [],
  processes: [],
  durations: [],
  ongoing: [],
  procFiles: [],
  readers: [],
  blocks: [],
  blockDurations: [],
  readerBlocks: [],
  unblocked: [],
  vmaWaits: { count: 0, nanoseconds: 0 },
  victimVmaWaits: [],
  convoys: { count: 0, nanoseconds: 0 },
  victimConvoys: [],
  writersBlocked: [],
  victimsBlocked: [],
  untoldStalls: 0,
  lockTakes: [],
  own: nothingSeen,
  holds: [],
  writerStacks: [],
  complete: true,
  ...parts,
});

export const waitRow = (mode: Mode, operation: Operation, count: number, nanoseconds: number): WaitRow => ({
  mode,
  operation,
  count,
  nanoseconds,
});

export const processRow = (
  name: string,
  mode: Mode,
  count: number,
  nanoseconds: number,
  more: Partial<ProcessWaitRow> = {},
): ProcessWaitRow => ({ name, cgroupId: '4711', mode, count, nanoseconds, lastPid: 42, ...more });

export const ongoingWait = (
  mode: Mode,
  operation: Operation,
  seconds: number,
  more: Partial<OngoingWait> = {},
): OngoingWait => ({ mode, operation, foreign: false, pid: 42, tid: 43, seconds, ...more });

export const noReads: ReadCounts = {
  opens: 0,
  reads: 0,
  retries: 0,
  fallbacks: 0,
  waits: 0,
  waitNanoseconds: 0,
};

export const procFileRow = (file: ProcFile, counts: Partial<ReadCounts>): ProcFileRow => ({
  ...noReads,
  file,
  ...counts,
});

export const readerRow = (
  name: string,
  file: ProcFile,
  counts: Partial<ReadCounts>,
  more: Partial<ReaderRow> = {},
): ReaderRow => ({
  ...noReads,
  name,
  cgroupId: '4711',
  file,
  lastPid: 4242,
  lastTargetPid: 42,
  ...counts,
  ...more,
});

/** A file of undefined stands for `~unknown`. */
export const blockRow = (file: ProcFile | undefined, count: number, nanoseconds: number): BlockRow => ({
  file,
  count,
  nanoseconds,
});

/** A reader of undefined stands for `~unknown`; both processes are in the cgroup 4711 unless told otherwise. */
export const readerBlockRow = (
  reader: string | undefined,
  victim: string,
  file: ProcFile | undefined,
  count: number,
  nanoseconds: number,
  more: Partial<ReaderBlockRow> = {},
): ReaderBlockRow => ({
  reader: reader === undefined ? undefined : { name: reader, cgroupId: '4711' },
  victim: { name: victim, cgroupId: '4711' },
  file,
  count,
  nanoseconds,
  ...more,
});

export const unblockedRow = (mode: Mode, count: number, nanoseconds: number): UnblockedRow => ({
  mode,
  count,
  nanoseconds,
});

export const victimVmaWaitRow = (
  name: string,
  count: number,
  nanoseconds: number,
  more: Partial<VictimVmaWaitRow> = {},
): VictimVmaWaitRow => ({ name, cgroupId: '4711', count, nanoseconds, ...more });

/** A stall of `mysqld` behind no reader, unless told otherwise. */
export const stall = (
  at: number,
  nanoseconds: number,
  more: Partial<Omit<Stall, 'kind' | 'at'>> = {},
): Stall => ({
  kind: 'stall',
  at,
  cause: 'wait',
  victim: { name: 'mysqld', cgroupId: '4711', pid: 42, tid: 43 },
  mode: 'write',
  operation: 'munmap',
  nanoseconds,
  blockedInWindow: { nanoseconds: 0, windowNanoseconds: 10e9 },
  readers: [],
  convoy: { count: 0, nanoseconds: 0, longestQueue: 0 },
  ...more,
});

export const stallReader = (
  name: string,
  file: ProcFile,
  nanoseconds: number,
  more: Partial<StallReader> = {},
): StallReader => ({
  name,
  cgroupId: '4712',
  pid: 4242,
  tid: 4242,
  file,
  nanoseconds,
  nice: 0,
  offCpuNanoseconds: 0,
  ...more,
});
