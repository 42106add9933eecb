/** Who reads the proc files: rows of readers. */
import { Type } from 'typebox';
import { isoTime } from '../clock.js';
import { type ReaderEntry, readerKey } from '../ledger/lists/reader-list.js';
import { type FileCount, isShown } from '../metrics/proc-files.js';
import type { ProbePlan } from '../probes/plan.js';
import { type Observable, procFiles } from '../vocabulary.js';
import type { Order } from './lists/order.js';
import { countOrNull, identityOf, identityRow, idOrNull, nullable, secondsOrNull } from './rows.js';
import type { DaemonView } from './view.js';

export const readerFile = Type.Enum([...procFiles]);

export const readerRow = Type.Object({
  file: readerFile,
  reader: Type.String({ description: 'comm of the thread-group leader.' }),
  cgroup_id: Type.String(),
  ...identityRow,
  opens_total: countOrNull('Opens of the file.'),
  reads_total: countOrNull(
    'read() system calls (for clear_refs write(), for procmap_query ioctl(), for map_files getdents64()), errors and end of file included. A PAGEMAP_SCAN is a read of pagemap.',
  ),
  retries_total: countOrNull(
    'Times it had to look again because the address space changed; self-reads left out.',
  ),
  fallbacks_total: countOrNull(
    'Times it gave up locking one VMA at a time and held mmap_lock for the rest of that read().',
  ),
  waits_total: countOrNull('Times it waited for the mmap_lock of another process.'),
  wait_seconds_total: secondsOrNull('Thread-seconds of these waits.'),
  last_pid: nullable('The process of that name that read last.'),
  last_target_pid: nullable('The process whose file it read last.'),
  last_target: nullable('Name of that process; null when it is gone.'),
  last_seen_at: Type.String({ format: 'date-time' }),
});

/** What of a row needs no look at anything but the plan, which says what is observed. */
const measure = (entry: ReaderEntry, plan: ProbePlan) => {
  const { file } = entry;
  const ifObserved = (what: Observable, counted: FileCount, amount: number): number | null =>
    plan.observables[what].observed && isShown(counted, file, amount, plan) ? amount : null;
  return {
    file,
    reader: entry.name,
    opens_total: ifObserved('opens', 'opens', entry.opens),
    reads_total: ifObserved('reads', 'reads', entry.reads),
    retries_total: ifObserved('retries', 'retries', entry.retries),
    fallbacks_total: ifObserved('fallbacks', 'fallbacks', entry.fallbacks),
    waits_total: ifObserved('blocks', 'waits', entry.waits),
    wait_seconds_total: ifObserved('blocks', 'waits', entry.waitNanoseconds / 1e9),
    last_seen_at: entry.lastSeenAt,
  };
};

/** By what the list of readers may be sorted. */
export const readerOrder = (view: DaemonView): Order<ReaderEntry, keyof ReturnType<typeof measure>> => ({
  members: [
    'file',
    'reader',
    'opens_total',
    'reads_total',
    'retries_total',
    'fallbacks_total',
    'waits_total',
    'wait_seconds_total',
    'last_seen_at',
  ],
  measure: (entry) => measure(entry, view.plan()),
  key: readerKey,
  normally: '-reads_total',
  // Where reads are not observed, opens are.
  ties: { reads_total: 'opens_total' },
});

/** The row of a reader. */
export const describeReader = (entry: ReaderEntry, view: DaemonView) => {
  const { lastTargetPid } = entry;
  return {
    ...measure(entry, view.plan()),
    last_seen_at: isoTime(view, entry.lastSeenAt),
    cgroup_id: entry.cgroupId,
    ...identityOf(view, entry.cgroupId, { name: entry.name, pid: entry.lastPid }),
    last_pid: idOrNull(entry.lastPid),
    last_target_pid: idOrNull(lastTargetPid),
    last_target: lastTargetPid === undefined ? null : (view.processName(lastTargetPid) ?? null),
  };
};
