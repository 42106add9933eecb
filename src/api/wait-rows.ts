/** Waits by mode and operation, and those that still go on. */
import { Type } from 'typebox';
import type { WaitTotal } from '../ledger/waits.js';
import type { OngoingWait } from '../records.js';
import { operations } from '../vocabulary.js';
import type { Order } from './lists/order.js';
import { nullable } from './rows.js';
import type { DaemonView } from './view.js';

export const waitMode = Type.Enum(['read', 'write']);
export const waitOperation = Type.Enum([...operations]);

export const waitRow = Type.Object({
  mode: waitMode,
  operation: waitOperation,
  waits_total: Type.Integer(),
  wait_seconds_total: Type.Number({ description: 'Thread-seconds, counted when a wait ends.' }),
});

export const ongoingRow = Type.Object({
  mode: waitMode,
  operation: waitOperation,
  foreign: Type.Boolean({ description: 'It waits for the mmap_lock of another process.' }),
  pid: Type.String(),
  tid: Type.String(),
  process: nullable('Name of the process; null when it is gone.'),
  seconds: Type.Number({ description: 'Since the wait began, as of the last tick.' }),
});

/** The row of the waits of one mode and operation. */
export const describeWaits = ({ mode, operation, count, nanoseconds }: WaitTotal) => ({
  mode,
  operation,
  waits_total: count,
  wait_seconds_total: nanoseconds / 1e9,
});

/** By what the list of waits may be sorted. */
export const waitOrder: Order<WaitTotal, keyof ReturnType<typeof describeWaits>> = {
  members: ['mode', 'operation', 'waits_total', 'wait_seconds_total'],
  measure: describeWaits,
  key: ({ mode, operation }) => `${mode} ${operation}`,
  normally: '-wait_seconds_total',
};

/** The row of a wait that still goes on. */
export const describeOngoing = (
  { pid, tid, ...wait }: OngoingWait,
  view: Pick<DaemonView, 'processName'>,
) => ({
  ...wait,
  pid: String(pid),
  tid: String(tid),
  process: view.processName(pid) ?? null,
});
