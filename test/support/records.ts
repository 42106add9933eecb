/** Records as the tracer sends them, for tests of what comes after it. */
import type { OngoingWait, ProcessWaitRow, Tick, WaitRow } from '../../src/records.js';
import type { Mode, Operation } from '../../src/vocabulary.js';

export const tick = (at: number, parts: Partial<Omit<Tick, 'kind' | 'at'>> = {}): Tick => ({
  kind: 'tick',
  at,
  waits: [],
  processes: [],
  durations: [],
  ongoing: [],
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
