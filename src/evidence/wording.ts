/** Words for processes, operations and files, that sentences and advice share. */
import type { Identity } from '../ledger/incidents/incident.js';
import type { Named } from '../records.js';
import { countText } from '../text/wording.js';
import type { Operation, ProcFile } from '../vocabulary.js';

/** A process with what tells best where it runs: its container and pod, else its systemd unit. */
export const processText = ({ name }: Named, identity: Identity | undefined): string => {
  const place = identity === undefined ? undefined : placeOf(identity);
  return `\`${name}\`${place === undefined ? '' : ` (${place})`}`;
};

/** Characters of a container id that tell it apart, as docker and crictl show it. */
const shortId = 12;

const placeOf = ({ unit, containerId, podUid }: Identity): string | undefined => {
  const container = containerId === undefined ? undefined : `container ${containerText(containerId)}`;
  const pod = podUid === undefined ? undefined : `pod ${podUid}`;
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
