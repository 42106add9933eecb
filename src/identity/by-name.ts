/** Cgroups of processes known only by name and cgroup id, learnt from those of that name whose pid was told. */
import type { CgroupIdentity } from './cgroup-path.js';
import { remember } from './remember.js';

interface Learnt {
  readonly cgroup: CgroupIdentity;
  readonly at: number;
  /** When last another one was learnt so shortly before that both are in use. */
  readonly disputedAt: number;
}

/** Two that are learnt within this time are both in use; longer after, the newer one took the place of the older. */
const disputeMs = 60_000;

export class CgroupsByName {
  /** The one learnt longest ago comes first. */
  readonly #learnt = new Map<string, Learnt>();

  constructor(readonly maxEntries: number) {}

  /** `now` in milliseconds of a clock that never goes back. */
  learn(cgroupId: string, name: string, cgroup: CgroupIdentity, now: number): void {
    const key = keyOf(cgroupId, name);
    const before = this.#learnt.get(key);
    const disputed = before !== undefined && now - before.at < disputeMs && !isSame(before.cgroup, cgroup);
    const disputedAt = disputed ? now : (before?.disputedAt ?? Number.NEGATIVE_INFINITY);
    remember(this.#learnt, key, { cgroup, at: now, disputedAt }, this.maxEntries);
  }

  /** Undefined while processes of that name are found in several: which of them is meant would be a guess. */
  find(cgroupId: string, name: string, now: number): CgroupIdentity | undefined {
    const found = this.#learnt.get(keyOf(cgroupId, name));
    return found === undefined || now - found.disputedAt < disputeMs ? undefined : found.cgroup;
  }
}

const keyOf = (cgroupId: string, name: string): string => `${cgroupId} ${name}`;

const isSame = (a: CgroupIdentity, b: CgroupIdentity): boolean =>
  a.unit === b.unit && a.containerId === b.containerId && a.podUid === b.podUid;
