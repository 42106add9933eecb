/** The tables of a recording: who waited, who read what, who blocked whom. Of long ones the first rows. */

import type { DaemonView } from '../../api/view.js';
import { durationBuckets } from '../../ledger/durations.js';
import type { ProcessEntry } from '../../ledger/lists/processes.js';
import type { ReaderEntry } from '../../ledger/lists/reader-list.js';
import { type FileCount, isShown } from '../../metrics/proc-files.js';
import { cell, count, someSeconds as seconds, table } from '../../text/figures.js';
import { printable } from '../../text/printable.js';
import { countText } from '../../text/wording.js';
import { type Observable, unknown } from '../../vocabulary.js';

type Seen = Pick<DaemonView, 'ledger' | 'plan' | 'lockPaths' | 'cgroup' | 'processName'>;

const rowsShown = 10;
const longestBuckets = 3;

const isObserved = ({ plan }: Seen, what: Observable): boolean => plan().observables[what].observed;

/** The first rows, and a line that says how many more there are. */
const firstOf = <Entry>(
  entries: readonly Entry[],
  lines: (shown: readonly Entry[]) => readonly string[],
): string[] => {
  const more = entries.length - rowsShown;
  return [...lines(entries.slice(0, rowsShown)), ...(more > 0 ? [`  and ${count(more)} more`] : [])];
};

/** Waits by mode and operation, and the longest of each mode. */
export const waitLines = (view: Seen): string[] => {
  const { totals, durations } = view.ledger.waits;
  const waited = [...totals.values()].filter((total) => total.count > 0 || total.nanoseconds > 0);
  if (waited.length === 0) return ['Nobody had to wait for an mmap_lock.'];
  const all = waited.reduce((sum, total) => sum + total.count, 0);
  const time = waited.reduce((sum, total) => sum + total.nanoseconds, 0);
  return [
    `Waits for mmap_lock: ${count(all)}, ${seconds(time)} thread-seconds in all.`,
    ...table(
      ['mode', 'operation', 'waits', 'seconds'],
      2,
      waited
        .toSorted((a, b) => b.nanoseconds - a.nanoseconds)
        .map((total) => [total.mode, total.operation, count(total.count), seconds(total.nanoseconds)]),
    ),
    ...[...durations].flatMap(([mode, buckets]) => {
      const longest = longestOf(buckets);
      return longest === '' ? [] : [`  The longest to ${mode}: ${longest}.`];
    }),
  ];
};

/** `2 of 2.0 to 4.1 ms, 31 of 1.0 to 2.0 ms`. */
const longestOf = (buckets: readonly number[]): string =>
  buckets
    .map((waits, index) => ({ waits, index }))
    .filter(({ waits }) => waits > 0)
    .slice(-longestBuckets)
    .reverse()
    .map(({ waits, index }) => `${count(waits)} of ${rangeOf(index)}`)
    .join(', ');

const rangeOf = (index: number): string => {
  const upper = 2 ** (index + durationBuckets.firstExponent);
  if (index === 0) return `less than ${durationText(upper)}`;
  const last = durationBuckets.lastExponent - durationBuckets.firstExponent + 1;
  return index === last
    ? `${durationText(upper / 2)} or more`
    : `${durationText(upper / 2)} to ${durationText(upper)}`;
};

/** The bounds of buckets are powers of two in microseconds. */
const durationText = (microseconds: number): string => {
  if (microseconds < 1000) return `${microseconds} us`;
  if (microseconds < 1e6) return `${(microseconds / 1000).toFixed(microseconds < 1e4 ? 1 : 0)} ms`;
  return `${(microseconds / 1e6).toFixed(1)} s`;
};

export const processLines = (view: Seen): string[] => {
  const vmaWaits = isObserved(view, 'vma_waits');
  const timeOf = ({ waits: { read, write }, vmaWaits: vma }: ProcessEntry): number =>
    read.nanoseconds + write.nanoseconds + (vmaWaits ? vma.nanoseconds : 0);
  const entries = view.ledger.waits.list.entries().toSorted((a, b) => timeOf(b) - timeOf(a));
  if (entries.length === 0) return [];
  return [
    'Who waited most:',
    ...firstOf(entries, (shown) =>
      table(
        ['process', 'where', 'to write', 'seconds', 'to read', 'seconds', 'for a VMA', 'seconds'],
        2,
        shown.map(({ name, cgroupId, lastPid: pid, waits: { read, write }, vmaWaits: vma }) => [
          name,
          whereOf(view, cgroupId, { name, pid }),
          count(write.count),
          seconds(write.nanoseconds),
          count(read.count),
          seconds(read.nanoseconds),
          cell(vmaWaits ? vma.count : null),
          cell(vmaWaits ? vma.nanoseconds : null, seconds),
        ]),
      ),
    ),
  ];
};

/** The unit or the container, `-` where neither is known. */
const whereOf = (
  view: Seen,
  cgroupId: string,
  process: { name: string; pid?: number | undefined },
): string => {
  const { unit, containerId } = view.cgroup(cgroupId, process) ?? {};
  return printable(unit ?? containerId?.slice(0, 12) ?? '-');
};

/** Who read which proc file; nothing where no reads and no opens are observed, which is said elsewhere. */
export const readerLines = (view: Seen): string[] => {
  if (!isObserved(view, 'reads') && !isObserved(view, 'opens')) return [];
  const entries = view.ledger.readers.list
    .entries()
    .toSorted((a, b) => b.reads - a.reads || b.opens - a.opens);
  if (entries.length === 0) return ['Nobody read a proc file that shows an address space.'];
  return [
    'Who read which file of /proc/PID:',
    ...firstOf(entries, (shown) =>
      table(
        ['reader', 'where', 'file', 'last of', 'opens', 'reads', 'retries', 'waits', 'seconds'],
        4,
        shown.map((entry) => readerCells(view, entry)),
      ),
    ),
  ];
};

const readerCells = (view: Seen, entry: ReaderEntry): string[] => {
  const { name, cgroupId, file, lastPid: pid, lastTargetPid } = entry;
  const ifCounted = (what: Observable, counts: FileCount, amount: number): number | null =>
    isObserved(view, what) && isShown(counts, file, amount, view.plan()) ? amount : null;
  const target = lastTargetPid === undefined ? undefined : view.processName(lastTargetPid);
  return [
    name,
    whereOf(view, cgroupId, { name, pid }),
    file,
    target ?? (lastTargetPid === undefined ? '-' : `pid ${lastTargetPid}`),
    cell(ifCounted('opens', 'opens', entry.opens)),
    cell(ifCounted('reads', 'reads', entry.reads)),
    cell(ifCounted('retries', 'retries', entry.retries)),
    cell(ifCounted('blocks', 'waits', entry.waits)),
    cell(ifCounted('blocks', 'waits', entry.waitNanoseconds), seconds),
  ];
};

/** Who blocked whom, and the same by file, with the wall time. */
export const blockLines = (view: Seen): string[] => {
  if (!isObserved(view, 'blocks')) return [];
  const { blocks, blockedTime } = view.ledger;
  const entries = blocks.list.entries().toSorted((a, b) => b.nanoseconds - a.nanoseconds);
  if (entries.length === 0) return ['No reader of a proc file was seen to block anybody.'];
  const wall = isObserved(view, 'blocked_time');
  const files = [...blocks.files].filter(([, total]) => total.count > 0 || total.nanoseconds > 0);
  return [
    'Who blocked whom, in thread-seconds:',
    ...firstOf(entries, (shown) =>
      table(
        ['reader', 'file', 'victim', 'blocks', 'seconds'],
        3,
        shown.map(({ reader, file, victim, ...block }) => [
          reader?.name ?? unknown,
          file,
          victim.name,
          count(block.count),
          seconds(block.nanoseconds),
        ]),
      ),
    ),
    'The same by file, and the wall time with a writer behind a reader of it:',
    ...table(
      ['file', 'lock path', 'blocks', 'seconds', 'wall seconds'],
      2,
      files.map(([file, total]) => [
        file,
        view.lockPaths().find((served) => served.file === file)?.path ?? '-',
        count(total.count),
        seconds(total.nanoseconds),
        cell(wall && file !== unknown ? (blockedTime.files.get(file) ?? null) : null, seconds),
      ]),
    ),
  ];
};

export const convoyLines = (view: Seen): string[] => {
  if (!isObserved(view, 'convoys')) return [];
  const { total } = view.ledger.convoys;
  return total.count === 0
    ? ['No convoy: nothing queued behind a writer that a reader blocked.']
    : [
        `Convoys: ${countText(total.count, 'read wait')} queued behind writers that readers blocked, ` +
          `for ${seconds(total.nanoseconds)} thread-seconds.`,
      ];
};
