/**
 * /proc/PID/cgroup: the cgroup of a process in each hierarchy. Where hierarchies of cgroup v1 are in use it tells more
 * than the cgroup id that probes see, for that one belongs to the v2 hierarchy, where a container may have no cgroup.
 */
import { type CgroupIdentity, parseCgroupPath } from './cgroup-path.js';

/** The cgroup of a process in one hierarchy. */
export interface CgroupMembership {
  /** `name=systemd`, `memory`, `cpu` and `cpuacct` ...; empty for the v2 hierarchy. */
  readonly controllers: readonly string[];
  /** From the root of the hierarchy, with a leading slash; see withoutParents() for what a namespace hides. */
  readonly path: string;
}

/** systemd keeps its tree in the v2 hierarchy, or in the first of these; of the others some tell a container. */
const preferred = ['name=systemd', 'pids', 'memory', 'cpu', 'devices', 'freezer'];

/** A v2 cgroup that was removed before its last process was reaped: proc_cgroup_show(), kernel/cgroup/cgroup.c. */
const deleted = / \(deleted\)$/;

/**
 * The lines of /proc/PID/cgroup, `N:controllers:path`, in the order of the file. A path may hold colons, never a
 * newline (the kernel refuses to make such a cgroup). Lines of another form are left out.
 */
export function parseProcCgroup(text: string): CgroupMembership[] {
  return text.split('\n').flatMap((line) => {
    const found = /^\d+:([^:]*):(\/.*)$/.exec(line);
    if (found === null) return [];
    const [, controllers = '', path = ''] = found;
    return controllers === ''
      ? [{ controllers: [], path: withoutParents(path.replace(deleted, '')) }]
      : [{ controllers: controllers.split(','), path: withoutParents(path) }];
  });
}

/** Whether hierarchies of cgroup v1 are in use, alone or beside v2. */
export const isLegacy = (memberships: readonly CgroupMembership[]): boolean =>
  memberships.some(({ controllers }) => controllers.length > 0);

/**
 * Who runs in these cgroups: from the hierarchy that names a container or pod, else a unit, else a slice; among equals
 * from v2, then that of systemd. Where that path names no unit, systemd's own hierarchy gives it. Undefined where all
 * paths are the root.
 */
export function identifyMemberships(memberships: readonly CgroupMembership[]): CgroupIdentity | undefined {
  const candidates = memberships
    .toSorted((a, b) => rankOf(a) - rankOf(b))
    .filter(({ path }) => path !== '/')
    .map((membership) => ({ membership, identity: parseCgroupPath(membership.path) }));
  // The sort is stable: of those that tell as much, the first stays first.
  const [best] = candidates.toSorted((a, b) => tells(b.identity) - tells(a.identity));
  if (best === undefined || best.identity.unit !== undefined) return best?.identity;
  const unit = candidates.find(({ membership }) => isOfSystemd(membership))?.identity.unit;
  return { ...best.identity, unit };
}

/**
 * A process outside the cgroup namespace of the reader is shown by `/../../system.slice/x.service`
 * (cgroup_namespaces(7)): what is above the common parent cannot be told, what is below is as true as ever.
 */
const withoutParents = (path: string): string => path.replace(/^(?:\/\.\.)+(?=\/|$)/, '') || '/';

const isOfSystemd = ({ controllers }: CgroupMembership): boolean =>
  controllers.length === 0 || controllers.includes('name=systemd');

const rankOf = ({ controllers }: CgroupMembership): number => {
  if (controllers.length === 0) return -1;
  const rank = preferred.findIndex((name) => controllers.includes(name));
  return rank === -1 ? preferred.length : rank;
};

/** How much an identity tells, most for the innermost. */
const tells = ({ containerId, podUid, unit }: CgroupIdentity): number => {
  if (containerId !== undefined) return 4;
  if (podUid !== undefined) return 3;
  if (unit === undefined) return 0;
  return unit.endsWith('.slice') ? 1 : 2;
};
