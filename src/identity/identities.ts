/**
 * Who a process is that a probe saw: its name, its unit, container and pod. From the cgroup id where that tells it;
 * from /proc/PID/cgroup of the process where hierarchies of cgroup v1 are in use or the id is not known.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CgroupsByName } from './by-name.js';
import type { CgroupIdentity } from './cgroup-path.js';
import { inInitialPidNamespace } from './pid-namespace.js';
import { identifyMemberships, isLegacy, parseProcCgroup } from './proc-cgroup.js';
import { type ProcessIdentity, readProcess } from './process.js';
import { remember } from './remember.js';

/** A process as a probe saw it. */
export interface Seen {
  /** Of the v2 hierarchy, in decimal; `0` where unknown. */
  readonly cgroupId: string;
  /** The name of its thread-group leader; undefined where it was not seen. */
  readonly name?: string | undefined;
  readonly pid?: number | undefined;
}

export interface Identity {
  /** The name that was seen, else that of the process as long as it lives. */
  readonly comm: string | undefined;
  readonly cgroup: CgroupIdentity | undefined;
}

/** Settings of {@link Identities}; all but the first two have defaults that suit a host. */
export interface IdentitiesOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Finds a cgroup by its id: a CgroupIndex. */
  readonly cgroups: { resolve(id: bigint): CgroupIdentity | undefined };
  /** Where proc is mounted. */
  readonly root?: string;
  /** Processes looked at in any second, each by three small files. Who comes later waits for the next question. */
  readonly looksPerSecond?: number;
  /** The most processes, and the most names, that are remembered. */
  readonly maxEntries?: number;
}

/** What was found at a pid; without a start where there was no process. */
interface Entry {
  readonly start: number | undefined;
  /** Every name under which this process was found: it takes another with each execve(). */
  readonly names: readonly string[];
  readonly cgroup: CgroupIdentity | undefined;
  readonly lookedAt: number;
}

/** A process may be moved to another cgroup: one that is believed is looked at again after this. */
const believedMs = 60_000;
/** One that was gone, or had another name, after this. */
const doubtedMs = 10_000;
const mostNames = 4;
const nobody: readonly string[] = [];
/** Texts of /proc/PID/cgroup: one for each cgroup whose processes are looked at. */
const mostTexts = 512;

export class Identities {
  readonly #options: Required<IdentitiesOptions>;
  /** Cgroup ids do not tell everything here: whoever may be asked for later is to be resolved while it lives. */
  readonly legacy: boolean;
  /** Pids that probes see are those of another namespace. */
  readonly #foreignPids: boolean;
  /** By pid; the least recently asked for comes first. */
  readonly #processes = new Map<number, Entry>();
  /** By the text that told it; the one met longest ago comes first. */
  readonly #identified = new Map<string, CgroupIdentity>();
  /** For rows that tell no pid. */
  readonly #named: CgroupsByName;
  #second = Number.NEGATIVE_INFINITY;
  #looks = 0;

  constructor(options: IdentitiesOptions) {
    this.#options = { root: '/proc', looksPerSecond: 20, maxEntries: 4096, ...options };
    const { root, maxEntries } = this.#options;
    this.#named = new CgroupsByName(maxEntries);
    this.legacy = isLegacy(parseProcCgroup(readText(join(root, 'self', 'cgroup')) ?? ''));
    this.#foreignPids = !inInitialPidNamespace(root);
  }

  /**
   * Who this process is, as far as it can be told now. A pid is believed only if a process of the name that was seen is
   * found there, or was when it was last looked at: pids are used again. Never throws; what cannot be read is unknown.
   */
  resolve({ cgroupId, name, pid }: Seen): Identity {
    const byId = this.#options.cgroups.resolve(BigInt(cgroupId));
    const told = byId !== undefined && !this.legacy;
    if (told && name !== undefined) return { comm: name, cgroup: byId };
    const now = this.#options.now();
    const entry = pid === undefined || this.#foreignPids ? undefined : this.#look(pid, name, now);
    const believed =
      entry !== undefined && (name === undefined || entry.names.includes(name)) ? entry : undefined;
    const comm = name ?? believed?.names.at(-1);
    if (told || comm === undefined) return { comm, cgroup: byId };
    if (believed?.cgroup !== undefined) this.#named.learn(cgroupId, comm, believed.cgroup, now);
    return { comm, cgroup: believed?.cgroup ?? this.#named.find(cgroupId, comm, now) ?? byId };
  }

  /** What is at a pid: looked at now where that is due and there is room for it in this second, else as it was. */
  #look(pid: number, name: string | undefined, now: number): Entry | undefined {
    const known = this.#processes.get(pid);
    const fits =
      known !== undefined && (name === undefined ? known.names.length > 0 : known.names.includes(name));
    const due = known === undefined || now - known.lookedAt >= (fits ? believedMs : doubtedMs);
    const entry = due && this.#mayLook(now) ? this.#lookNow(pid, known, now) : known;
    if (entry !== undefined) remember(this.#processes, pid, entry, this.#options.maxEntries);
    return entry;
  }

  #lookNow(pid: number, known: Entry | undefined, now: number): Entry {
    const { root } = this.#options;
    const process = readLiving(pid, root);
    // Who is gone stays who it was: its rows outlive it.
    if (process === undefined)
      return { start: undefined, names: nobody, cgroup: undefined, ...known, lookedAt: now };
    const { comm, startTimeTicks: start } = process;
    const cgroup = this.#identify(readText(join(root, String(pid), 'cgroup')) ?? '');
    const earlier = known?.start === start ? known.names.filter((name) => name !== comm) : [];
    return { start, names: [...earlier.slice(1 - mostNames), comm], cgroup, lookedAt: now };
  }

  /**
   * Who runs in the cgroups of a text. All processes of a cgroup have the same text, and V8 keeps all of a text of which
   * a part is kept: with one for each process, 4096 of them took 2 MiB.
   */
  #identify(text: string): CgroupIdentity | undefined {
    const known = this.#identified.get(text);
    const cgroup = known ?? identifyMemberships(parseProcCgroup(text));
    if (cgroup !== undefined) remember(this.#identified, text, cgroup, mostTexts);
    return cgroup;
  }

  #mayLook(now: number): boolean {
    if (now - this.#second >= 1000) {
      this.#second = now;
      this.#looks = 0;
    }
    if (this.#looks >= this.#options.looksPerSecond) return false;
    this.#looks += 1;
    return true;
  }
}

const readLiving = (pid: number, root: string): ProcessIdentity | undefined => {
  try {
    return readProcess(pid, root);
  } catch {
    return undefined;
  }
};

const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};
