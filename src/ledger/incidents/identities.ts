/** Where the processes of an incident ran: kept with it, for their cgroups may be gone when somebody looks. */
import type { Identity, Incident } from './incident.js';
import type { IncidentOptions } from './options.js';

/** By cgroup id. On cgroup v1 one id may stand for several cgroups: such an id is left out. */
export const identitiesOf = (
  { victim, readers }: Pick<Incident, 'victim' | 'readers'>,
  identify: Required<IncidentOptions>['identify'],
): Record<string, Identity> => {
  const known = new Map<string, Identity | undefined>();
  for (const process of [victim, ...readers]) {
    const { cgroupId } = process;
    const identity = identify(cgroupId, process);
    if (identity === undefined) continue;
    const { unit, containerId, podUid } = identity;
    const isAnother = known.has(cgroupId) && !isSame(known.get(cgroupId), identity);
    known.set(cgroupId, isAnother ? undefined : { unit, containerId, podUid });
  }
  return Object.fromEntries(
    [...known].filter((entry): entry is [string, Identity] => entry[1] !== undefined),
  );
};

const isSame = (a: Identity | undefined, b: Identity): boolean =>
  a !== undefined && a.unit === b.unit && a.containerId === b.containerId && a.podUid === b.podUid;
