import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';
import { type CgroupIdentity, parseCgroupPath } from './cgroup-path.js';
import { isGone } from './process.js';

/** Settings of a CgroupIndex; all but the clock have defaults that suit a host. */
export interface CgroupIndexOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Where the cgroup file systems are mounted. */
  readonly root?: string;
  /** The most cgroups that are remembered. */
  readonly maxEntries?: number;
  /** The most directories one walk looks at, the upper levels first. */
  readonly maxDirectories?: number;
}

interface Entry {
  readonly identity: CgroupIdentity;
  /** When a walk first did not find it any more, in milliseconds of now(). */
  missingSince: number | undefined;
}

const walkIntervalMs = 10_000;
const keepDeadMs = 600_000;
/** Id of the root cgroup; 0 stands for none. */
const rootId = 1n;

/**
 * Finds the cgroup v2 that has an id. The id is the inode number of its directory (kernfs, Linux 5.5 and later on
 * 64 bit) and is not used again after the cgroup is gone.
 *
 * An id that is not known yet resolves to undefined; the next refresh() looks for it.
 */
export class CgroupIndex {
  readonly #now: () => number;
  readonly #root: string;
  readonly #maxEntries: number;
  readonly #maxDirectories: number;
  /** The least recently asked for comes first. */
  readonly #known = new Map<bigint, Entry>();
  /** Asked for, not known, and no walk has begun since. */
  #missed = new Set<bigint>();
  /** Not found by a walk: a cgroup that existed before cannot appear later. The oldest comes first. */
  readonly #absent = new Set<bigint>();
  #lastWalk = Number.NEGATIVE_INFINITY;

  constructor(options: CgroupIndexOptions) {
    this.#now = options.now;
    this.#root = options.root ?? '/sys/fs/cgroup';
    this.#maxEntries = options.maxEntries ?? 4096;
    this.#maxDirectories = options.maxDirectories ?? 16_384;
  }

  /** The number of cgroups remembered. */
  get size(): number {
    return this.#known.size;
  }

  /** The cgroup with this id; undefined for the root, for none (0) and while it is not known. */
  resolve(id: bigint): CgroupIdentity | undefined {
    if (id <= rootId) return undefined;
    const entry = this.#known.get(id);
    if (entry === undefined) {
      if (!this.#absent.has(id) && this.#missed.size < this.#maxEntries) this.#missed.add(id);
      return undefined;
    }
    this.#known.delete(id);
    this.#known.set(id, entry);
    return entry.identity;
  }

  /**
   * Looks for the ids that resolve() did not know. Does nothing when there are none, or when the last walk began
   * less than 10 s ago: call it as often as you like. Each directory costs one or two system calls, off the main
   * thread. A cgroup that is gone stays known for 10 minutes.
   */
  async refresh(): Promise<void> {
    const begun = this.#now();
    if (this.#missed.size === 0 || begun - this.#lastWalk < walkIntervalMs) return;
    this.#lastWalk = begun;
    const wanted = this.#missed;
    this.#missed = new Set();
    const { found, complete } = await walk(this.#hierarchy(), this.#maxDirectories);
    for (const [id, path] of found) this.#learn(id, path, wanted.has(id));
    for (const id of wanted) if (!found.has(id)) this.#markAbsent(id);
    if (complete) this.#forget(found, begun);
  }

  /** The v2 hierarchy: the mount itself, or `unified` below it where v1 controllers are in use. */
  #hierarchy(): string {
    const unified = join(this.#root, 'unified');
    return existsSync(join(unified, 'cgroup.controllers')) ? unified : this.#root;
  }

  #learn(id: bigint, path: string, wanted: boolean): void {
    const entry = this.#known.get(id);
    if (entry !== undefined) {
      entry.missingSince = undefined;
      return;
    }
    if (this.#known.size >= this.#maxEntries) {
      // What nobody asked for must not drive out what somebody did.
      if (!wanted) return;
      dropFirst(this.#known);
    }
    this.#known.set(id, { identity: parseCgroupPath(path), missingSince: undefined });
  }

  #markAbsent(id: bigint): void {
    if (this.#absent.size >= this.#maxEntries) dropFirst(this.#absent);
    this.#absent.add(id);
  }

  #forget(alive: ReadonlyMap<bigint, string>, now: number): void {
    for (const [id, entry] of this.#known) {
      if (alive.has(id)) continue;
      entry.missingSince ??= now;
      if (now - entry.missingSince >= keepDeadMs) this.#known.delete(id);
    }
  }
}

function dropFirst<K>(collection: { keys(): Iterator<K>; delete(key: K): boolean }): void {
  const first = collection.keys().next();
  if (!first.done) collection.delete(first.value);
}

interface Walk {
  /** Path below the root, by id. */
  readonly found: ReadonlyMap<bigint, string>;
  /** Whether the bound was not met. */
  readonly complete: boolean;
}

async function walk(root: string, maxDirectories: number): Promise<Walk> {
  const found = new Map<bigint, string>();
  const queue = ['/'];
  let looked = 0;
  for (const path of queue) {
    if (looked === maxDirectories) return { found, complete: false };
    looked += 1;
    try {
      const { ino, nlink } = await stat(join(root, path), { bigint: true });
      found.set(ino, path);
      // A directory without subdirectories has two links: `..` of each child is one more.
      if (nlink === 2n) continue;
      for (const child of await readdir(join(root, path), { withFileTypes: true })) {
        if (child.isDirectory()) queue.push(join(path, child.name));
      }
    } catch (error) {
      // Cgroups come and go during a walk (ENODEV: removed while it was read).
      if (!isGone(error) && errnoOf(error) !== 'ENODEV') throw error;
    }
  }
  return { found, complete: true };
}
