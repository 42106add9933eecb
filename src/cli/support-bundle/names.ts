/**
 * A bundle without names: each is replaced by a hash of it, the same wherever it stands, in every bundle. Who knows a
 * name can tell its hash; who does not learns none.
 */
import { createHash } from 'node:crypto';
import type { DaemonView } from '../../api/view.js';
import type { Identity, Incident } from '../../ledger/incidents/incident.js';

/** Hexadecimal digits: few enough to read, many enough for thousands of names. */
const digits = 8;

/** `p-1a2b3c4d` for a process. What begins with `~` is no name: those that do are escaped (src/identity/comm.ts). */
export const pseudonym = (prefix: 'p' | 'u' | 'c' | 'o' | 'h', name: string): string =>
  name.startsWith('~')
    ? name
    : `${prefix}-${createHash('sha256').update(name).digest('hex').slice(0, digits)}`;

/** Members that name a process, a unit, a container or a pod: of rows of the API, of ticks, and of the settings. */
const prefixes: readonly (readonly [RegExp, Parameters<typeof pseudonym>[0]])[] = [
  [/^(?:process|reader|victim|last_target|watched_victims)$/, 'p'],
  [/^(?:\w+_)?unit$/, 'u'],
  [/^(?:\w+_)?container_id$/, 'c'],
  [/^(?:\w+_)?pod_uid$/, 'o'],
];

/** A copy of rows with every member that holds a name replaced. */
export const rowsWithoutNames = <Rows>(rows: Rows): Rows => replaced(rows) as Rows;

const replaced = (value: unknown, member = ''): unknown => {
  if (Array.isArray(value)) return value.map((item) => replaced(item, member));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, replaced(held, key)]));
  const prefix = prefixes.find(([pattern]) => pattern.test(member))?.[1];
  return typeof value === 'string' && prefix !== undefined ? pseudonym(prefix, value) : value;
};

const label = /\b(process|reader|victim)="((?:[^"\\]|\\.)*)"/g;

/** The text of /metrics with the labels replaced that name a process. */
export const metricsWithoutNames = (text: string): string =>
  text.replace(label, (_, name: string, value: string) => {
    const plain = value.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
    return `${name}="${pseudonym('p', plain)}"`;
  });

/** An incident whose sentence and advice hold no names either: they are made from what is replaced here. */
export const incidentWithoutNames = (incident: Incident, resolve: DaemonView['cgroup']): Incident => {
  const { victim, readers, inspected, identities } = incident;
  const renamed = <Process extends { readonly name: string }>(process: Process): Process => ({
    ...process,
    name: pseudonym('p', process.name),
  });
  const known = [victim, ...readers, ...inspected].flatMap((process): [string, Identity][] => {
    const identity = identities[process.cgroupId] ?? resolve(process.cgroupId, process);
    return identity === undefined ? [] : [[process.cgroupId, identityWithoutNames(identity)]];
  });
  return {
    ...incident,
    victim: renamed(victim),
    readers: readers.map(renamed),
    inspected: inspected.map(renamed),
    identities: Object.fromEntries(known),
  };
};

const identityWithoutNames = ({ unit, containerId, podUid }: Identity): Identity => ({
  unit: unit && pseudonym('u', unit),
  containerId: containerId && pseudonym('c', containerId),
  podUid: podUid && pseudonym('o', podUid),
});
