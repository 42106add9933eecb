/** Who waits: rows of processes. */
import { Type } from 'typebox';
import { isoTime } from '../clock.js';
import type { ProcessEntry } from '../ledger/lists/processes.js';
import type { Order } from './lists/order.js';
import { countOrNull, identityOf, identityRow, idOrNull, nullable, secondsOrNull } from './rows.js';
import type { DaemonView } from './view.js';

export const processRow = Type.Object({
  process: Type.String({ description: 'comm of the thread-group leader.' }),
  cgroup_id: Type.String(),
  ...identityRow,
  last_pid: nullable('The process of that name that waited last; VMA waits do not tell it.'),
  read_waits_total: Type.Integer(),
  read_wait_seconds_total: Type.Number(),
  write_waits_total: Type.Integer(),
  write_wait_seconds_total: Type.Number(),
  vma_waits_total: countOrNull(
    'Times a writer that held mmap_lock slept until the readers of one VMA let go of it. Not among the waits.',
  ),
  vma_wait_seconds_total: secondsOrNull('Thread-seconds of VMA waits. Not among the seconds of the waits.'),
  waited_seconds_total: Type.Number({ description: 'Thread-seconds of all of these, as far as observed.' }),
  last_wait_at: Type.String({ format: 'date-time', description: 'VMA waits included.' }),
});

/** What of a row needs no look at anything else. */
const measure = (
  { name, waits: { read, write }, vmaWaits, lastAt }: ProcessEntry,
  vmaWaitsObserved: boolean,
) => ({
  process: name,
  read_waits_total: read.count,
  read_wait_seconds_total: read.nanoseconds / 1e9,
  write_waits_total: write.count,
  write_wait_seconds_total: write.nanoseconds / 1e9,
  vma_waits_total: vmaWaitsObserved ? vmaWaits.count : null,
  vma_wait_seconds_total: vmaWaitsObserved ? vmaWaits.nanoseconds / 1e9 : null,
  waited_seconds_total:
    (read.nanoseconds + write.nanoseconds + (vmaWaitsObserved ? vmaWaits.nanoseconds : 0)) / 1e9,
  last_wait_at: lastAt,
});

/** By what the list of processes may be sorted. */
export const processOrder = (view: DaemonView): Order<ProcessEntry, keyof ReturnType<typeof measure>> => ({
  members: [
    'process',
    'read_waits_total',
    'read_wait_seconds_total',
    'write_waits_total',
    'write_wait_seconds_total',
    'vma_waits_total',
    'vma_wait_seconds_total',
    'waited_seconds_total',
    'last_wait_at',
  ],
  measure: (entry) => measure(entry, vmaWaitsObserved(view)),
  key: ({ name, cgroupId }) => JSON.stringify([name, cgroupId]),
  normally: '-waited_seconds_total',
});

/** The row of a process. */
export const describeProcess = (entry: ProcessEntry, view: DaemonView) => ({
  ...measure(entry, vmaWaitsObserved(view)),
  last_wait_at: isoTime(view, entry.lastAt),
  cgroup_id: entry.cgroupId,
  ...identityOf(view, entry.cgroupId, { name: entry.name, pid: entry.lastPid }),
  last_pid: idOrNull(entry.lastPid),
});

const vmaWaitsObserved = (view: DaemonView): boolean => view.plan().observables.vma_waits.observed;
