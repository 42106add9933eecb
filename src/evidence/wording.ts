/** Words that sentences and advice share. */
import type { Identity } from '../ledger/incidents/incident.js';
import type { Named } from '../records.js';
import type { Operation, ProcFile } from '../vocabulary.js';

/** A time as people say it: `180 ms`, `3.2 s`, `26 s`, `4.5 min`. */
export const durationText = (nanoseconds: number): string => {
  const milliseconds = nanoseconds / 1e6;
  if (milliseconds < 0.095) return 'less than 0.1 ms';
  if (milliseconds < 9.95) return `${short(milliseconds)} ms`;
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 119.5) return seconds < 9.95 ? `${short(seconds)} s` : `${Math.round(seconds)} s`;
  return `${short(seconds / 60)} min`;
};

const short = (value: number): string => value.toFixed(1).replace(/\.0$/, '');

/**
 * A number with its digits in groups, `1,234` or `1,234.500`. Not by Intl, whose data of all languages costs Node 11 MB
 * of memory once it is asked.
 * @param decimals behind the point, none by default
 */
export const groupedText = (amount: number, decimals = 0): string => {
  // toFixed() alone goes by the binary number, of which 0.0055 is a little less.
  const rounded = Math.round(amount * 10 ** decimals) / 10 ** decimals;
  const [whole = '', ...rest] = rounded.toFixed(decimals).split('.');
  return [whole.replace(/\B(?=(?:\d{3})+$)/g, ','), ...rest].join('.');
};

/** `a`, `a and b`, `a, b and c`. */
export const listText = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;

/** `1 wait`, `1,234 waits`, `2 processes`: a count with its noun. */
export const countText = (count: number, noun: string): string => {
  const ending = noun.endsWith('s') ? 'es' : 's';
  return `${groupedText(count)} ${noun}${count === 1 ? '' : ending}`;
};

/** A process with what tells best where it runs: its container and pod, else its systemd unit. */
export const processText = ({ name }: Named, identity: Identity | undefined): string => {
  const place = identity === undefined ? undefined : placeOf(identity);
  return `\`${name}\`${place === undefined ? '' : ` (${place})`}`;
};

/** Characters of a container id that tell it apart, as docker and crictl show it. */
const shortId = 12;

const placeOf = ({ unit, container_id, pod_uid }: Identity): string | undefined => {
  const container = container_id === undefined ? undefined : `container ${containerText(container_id)}`;
  const pod = pod_uid === undefined ? undefined : `pod ${pod_uid}`;
  if (container !== undefined && pod !== undefined) return `${container} of ${pod}`;
  return container ?? pod ?? (unit === undefined ? undefined : `unit ${unit}`);
};

/** An LXC container has a name, which is told whole. */
const containerText = (id: string): string => (/^[0-9a-f]{64}$/.test(id) ? id.slice(0, shortId) : id);

const operationNames: Partial<Record<Operation, string>> = {
  page_fault: 'page faults',
  proc_read: 'reads of proc files',
  other: 'other calls',
};

/** Operations in the order given, two by name: `munmap`, `munmap and mmap`, `munmap, mmap and 3 other operations`. */
export const operationsText = (operations: readonly Operation[]): string => {
  const [first, second, ...more] = operations.map((operation) => operationNames[operation] ?? operation);
  if (first === undefined) return 'mappings';
  if (second === undefined) return first;
  return more.length === 0
    ? `${first} and ${second}`
    : `${first}, ${second} and ${countText(more.length, 'other operation')}`;
};

/** What a reader of a file did to a process. */
export const actText = (file: ProcFile, target: string): string => {
  if (file === 'clear_refs') return `wrote to clear_refs of ${target}`;
  if (file === 'procmap_query') return `asked for mappings (PROCMAP_QUERY) of ${target}`;
  if (file === 'map_files') return `listed map_files of ${target}`;
  if (file === 'remote') return `accessed the memory of ${target}`;
  return `read ${file} of ${target}`;
};
