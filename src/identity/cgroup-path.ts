import { escapeUnsafe } from './comm.js';

/** What the path of a cgroup tells about who runs in it. */
export interface CgroupIdentity {
  /** From the root of the hierarchy, with a leading slash. */
  readonly path: string;
  /** The systemd unit (`nginx.service`, `session-3.scope`), or the slice where there is none. */
  readonly unit: string | undefined;
  /** The id of the innermost container, or its name where LXC made it. Cloud Foundry and Mesos have ids as well. */
  readonly containerId: string | undefined;
  /** The uid of the Kubernetes pod, with dashes as the API writes it. */
  readonly podUid: string | undefined;
}

/** Container ids of docker, containerd, CRI-O and podman, and those of ECS on Fargate, which are of another form. */
const containerId = /^(?:.*[-:])?([0-9a-f]{64})(?:\.scope)?$/;
const fargateId = /^[0-9a-f]{32}-\d+$/;
/** Of conmon, the monitor of CRI-O and podman: not the container, though its name holds the id of one. */
const monitor = /-conmon-[0-9a-f]{64}(?:\.scope)?$/;
/** `lxc.payload.NAME` and `lxc.payload/NAME` since LXC 4, `lxc/NAME` before. */
const lxcPayload = /^lxc\.payload\.(.+)$/;
/** What lies right below one of these is a container, whatever its name. */
const containerParents = ['lxc', 'lxc.payload', 'garden', 'mesos'];
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** With dashes from cgroupfs, underscores from systemd slices, neither for static pods (a hash). */
const podUid =
  /(?:^|-)pod([0-9a-f]{8}([-_]?)[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12})(?:\.slice)?(?::|$)/;

/** The unit types that have a cgroup: systemd.unit(5), systemd.resource-control(5). */
const unitName = /.\.(?:service|scope|socket|mount|swap)$/;
const userManager = /^user@\d+\.service$/;

/** Whether a text can be the unit of a cgroup, as it is found here. NAME_MAX, 255, bounds the name of a cgroup. */
export const isUnitName = (text: string): boolean =>
  (unitName.test(text) || /.\.slice$/.test(text)) &&
  Buffer.byteLength(text) <= 255 &&
  !text.includes('/') &&
  escapeUnsafe(text) === text;

/** Parses a path below the root of a hierarchy, such as `/system.slice/nginx.service`. Unsafe characters come out escaped. */
export function parseCgroupPath(path: string): CgroupIdentity {
  const safe = escapeUnsafe(path);
  const names = safe.split('/').filter((name) => name !== '');
  return { path: safe, unit: findUnit(names), containerId: findContainer(names), podUid: findPod(names) };
}

/**
 * The unit of the host's systemd, or of a user's: cgroups below a unit are its own affair, and those of a container
 * that runs systemd are named like units of the host.
 */
function findUnit(names: readonly string[]): string | undefined {
  let slice: string | undefined;
  let manager: string | undefined;
  for (const escaped of names) {
    // systemd puts an underscore before names the cgroup file system could take for its own files (cg_escape()).
    const name = escaped.replace(/^_/, '');
    if (name.endsWith('.slice')) {
      slice = name;
    } else if (manager === undefined && userManager.test(name)) {
      manager = name;
    } else if (unitName.test(name)) {
      // Below a user manager init.scope is the manager itself, not the init of the host.
      return name === 'init.scope' && manager !== undefined ? manager : name;
    } else {
      break;
    }
  }
  return manager ?? slice;
}

function findContainer(names: readonly string[]): string | undefined {
  for (let index = names.length - 1; index >= 0; index -= 1) {
    const name = names[index]!;
    if (monitor.test(name)) return undefined;
    const id = containerId.exec(name)?.[1] ?? lxcPayload.exec(name)?.[1];
    if (id !== undefined) return id;
    const parent = names[index - 1] ?? '';
    if (containerParents.includes(parent) || fargateId.test(name)) return name;
    if (uuid.test(name) && podUid.test(parent)) return name;
  }
  return undefined;
}

function findPod(names: readonly string[]): string | undefined {
  const match = names.map((name) => podUid.exec(name)).findLast((found) => found !== null);
  return match?.[1]?.replaceAll('_', '-');
}
