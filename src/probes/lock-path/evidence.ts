/**
 * How this kernel serves each proc file, by what its BTF and its symbol table show. Never by its version: patches are
 * carried back, and options leave them out. The versions below say where a trace was first seen in mainline; the
 * source is fs/proc/task_mmu.c where nothing else is named.
 *
 * For a kernel that serves a file in a new way: find what only that kernel has (a member, a parameter, a symbol), and
 * put a line for it above the other lines of that file.
 */
import type { KernelProfile } from '../../kernel/profile.js';
import { type LockPath, lockPaths, type ProcFile, procFiles } from '../../vocabulary.js';

/** A proc file, and how this kernel serves it. */
export interface ServedFile {
  readonly file: ProcFile;
  readonly path: LockPath;
}

/** By name: src/probes/findings.ts. */
type LearntAddresses = { has(name: string): boolean } | undefined;

export interface LockPathEvidence extends ServedFile {
  /** By what it was told: the kernel's BTF and symbols, its behaviour (lock-path-behaviour.ts), or both alike. */
  readonly by: 'evidence' | 'behaviour' | 'both';
  /** A sentence or two, for people. */
  readonly evidence: string;
}

/**
 * The functions behind the files. Each is reached through a table of pointers, so no compiler renames or inlines it:
 * where it is absent, the kernel does not serve the file.
 */
const servedBy: Readonly<Record<Exclude<ProcFile, 'remote'>, string>> = {
  maps: 'pid_maps_open',
  smaps: 'pid_smaps_open',
  smaps_rollup: 'smaps_rollup_open',
  numa_maps: 'pid_numa_maps_open', // CONFIG_NUMA
  pagemap: 'pagemap_read', // CONFIG_PROC_PAGE_MONITOR, as for smaps and clear_refs
  clear_refs: 'clear_refs_write',
  procmap_query: 'procfs_procmap_ioctl', // 6.11
  map_files: 'proc_map_files_readdir', // fs/proc/base.c
};

/** Data, which the symbol table has with CONFIG_KALLSYMS_ALL only: the page walks of smaps. */
const walkUnderMmapLock = 'smaps_walk_ops'; // 5.4
const walkUnderVmaLock = 'smaps_walk_vma_lock_ops'; // 7.2

/** What gcc leaves of a function whose first statement is a test for an early return, and which is called often. */
const splitOff = 'smap_gather_stats.part.0';

/** What the profile must be asked for, so that lockPathsOf() can decide. */
export const lockPathSymbols: readonly string[] = [
  ...Object.values(servedBy),
  'lock_next_vma',
  walkUnderMmapLock,
  walkUnderVmaLock,
  splitOff,
];

/** mm/mmap_lock.c, 6.17, with CONFIG_PER_VMA_LOCK: locks the next VMA of an address space. Not static. */
const hasVmaWalk = (profile: KernelProfile): boolean => profile.hasSymbol('lock_next_vma');

/** Since 7.2 it is told the reader, to see whether that one holds mmap_lock. Undefined where BTF lacks it. */
const gatherKnowsReader = (profile: KernelProfile): boolean | undefined =>
  profile.functionParameters('smap_gather_stats')?.some(({ type }) => type === 'struct proc_maps_private *');

interface Line {
  readonly files: readonly ProcFile[];
  readonly path: LockPath;
  readonly seen: (profile: KernelProfile) => boolean;
  readonly evidence: string;
}

/** For each file the first line that is seen decides; where none is, nothing is said of the file. */
const lines: readonly Line[] = [
  {
    // "mm/maps: read proc/pid/maps under RCU", 2024, never merged: fs/proc/internal.h
    files: ['maps'],
    path: 'rcu_snapshot',
    seen: (profile) =>
      profile.hasMember('proc_maps_private', 'mm_wr_seq') &&
      profile.hasMember('proc_maps_private', 'vma_copy'),
    evidence:
      'proc_maps_private has mm_wr_seq and vma_copy (the RCU patch of 2024): a reader copies each VMA, and looks again when the address space has changed.',
  },
  {
    // 6.17 and 6.18, fs/proc/internal.h
    files: ['maps'],
    path: 'per_vma_lock',
    seen: (profile) =>
      hasVmaWalk(profile) &&
      (profile.hasMember('proc_maps_private', 'locked_vma') ||
        profile.hasMember('proc_maps_locking_ctx', 'locked_vma')),
    evidence:
      'lock_next_vma is there, and a reader keeps a locked_vma (6.17): it locks one VMA at a time, and takes mmap_lock only for a moment where that fails.',
  },
  {
    // 6.18: the struct was made for the query, which has no proc_maps_private of its own
    files: ['procmap_query'],
    path: 'per_vma_lock',
    seen: (profile) => hasVmaWalk(profile) && profile.hasMember('proc_maps_locking_ctx', 'locked_vma'),
    evidence:
      'proc_maps_locking_ctx has locked_vma (6.18): a query locks the one VMA it asks about, and takes mmap_lock only for a moment where that fails.',
  },
  {
    // 7.2, one change for both files (ea3085dd7a4e)
    files: ['smaps', 'numa_maps'],
    path: 'per_vma_lock',
    seen: (profile) => hasVmaWalk(profile) && gatherKnowsReader(profile) === true,
    evidence:
      'smap_gather_stats takes a proc_maps_private (7.2): smaps and numa_maps walk the pages of one locked VMA at a time, and take mmap_lock only for a moment where locking it fails.',
  },
  {
    files: ['smaps', 'numa_maps'],
    path: 'per_vma_lock',
    seen: (profile) => hasVmaWalk(profile) && profile.hasSymbol(walkUnderVmaLock),
    evidence:
      'smaps_walk_vma_lock_ops is there (7.2): smaps and numa_maps walk the pages of one locked VMA at a time, and take mmap_lock only for a moment where locking it fails.',
  },
  {
    files: ['maps'],
    path: 'mmap_lock',
    seen: (profile) => !hasVmaWalk(profile) && profile.hasStruct('proc_maps_private'),
    evidence:
      'There is no lock_next_vma (6.17), nor a vma_copy in proc_maps_private: each read() holds mmap_lock.',
  },
  {
    files: ['smaps', 'numa_maps', 'procmap_query'],
    path: 'mmap_lock',
    seen: (profile) => !hasVmaWalk(profile),
    evidence:
      'There is no lock_next_vma (6.17), by which a reader could lock VMAs instead: it holds mmap_lock.',
  },
  {
    // 6.17
    files: ['procmap_query'],
    path: 'mmap_lock',
    seen: (profile) => profile.hasMember('proc_maps_private', 'locked_vma'),
    evidence:
      'locked_vma is in proc_maps_private, not yet in proc_maps_locking_ctx (6.18): only maps locks VMAs, a query holds mmap_lock.',
  },
  {
    files: ['smaps', 'numa_maps'],
    path: 'mmap_lock',
    seen: (profile) => gatherKnowsReader(profile) === false,
    evidence:
      'smap_gather_stats takes no proc_maps_private (7.2): the page walk of smaps and numa_maps has no form under VMA locks, each read() holds mmap_lock.',
  },
  {
    files: ['smaps', 'numa_maps'],
    path: 'mmap_lock',
    seen: (profile) => profile.hasSymbol(walkUnderMmapLock),
    evidence:
      'smaps_walk_ops is there without smaps_walk_vma_lock_ops (7.2): the page walk of smaps and numa_maps has no form under VMA locks, each read() holds mmap_lock.',
  },
  {
    // gcc splits a function only where what is left needs nothing computed before the test (gcc/ipa-split.cc). From
    // 7.2 on the walk is chosen before the test and used behind it.
    files: ['smaps', 'numa_maps'],
    path: 'mmap_lock',
    seen: (profile) => profile.hasSymbol(splitOff),
    evidence:
      'smap_gather_stats.part.0 is there: the page walk of smaps and numa_maps is not chosen by the lock held (7.2), so each read() holds mmap_lock.',
  },
  {
    // show_smaps_rollup(). A change to VMA locks waits for a release after 7.3, and will need a line of its own.
    files: ['smaps_rollup'],
    path: 'mmap_lock',
    seen: () => true,
    evidence:
      'Every kernel up to 7.3 holds mmap_lock, and drops it for a moment between two VMAs when a writer waits.',
  },
  {
    // pagemap_read()
    files: ['pagemap'],
    path: 'mmap_lock',
    seen: () => true,
    evidence:
      'Every kernel up to 7.3 holds mmap_lock, anew for every 2 MiB of the address space; PAGEMAP_SCAN (6.7) for all of its range at once.',
  },
  {
    // clear_refs_write()
    files: ['clear_refs'],
    path: 'mmap_lock',
    seen: () => true,
    evidence: 'Every kernel up to 7.3 holds mmap_lock for writing, for the whole address space at once.',
  },
  {
    // proc_map_files_readdir(), map_files_get_link(), fs/proc/base.c
    files: ['map_files'],
    path: 'mmap_lock',
    seen: () => true,
    evidence:
      'Every kernel up to 7.3 holds mmap_lock while a listing looks at all mappings, and again for each link that is followed.',
  },
  {
    // __access_remote_vm(), mm/memory.c; process_vm_rw(), mm/process_vm_access.c
    files: ['remote'],
    path: 'mmap_lock',
    seen: () => true,
    evidence: 'Every kernel up to 7.3 holds mmap_lock for access to the memory of another process.',
  },
];

const isServed = (file: ProcFile, profile: KernelProfile, learnt: LearntAddresses): boolean =>
  file === 'remote' || profile.hasSymbol(servedBy[file]) || learnt?.has(servedBy[file]) === true;

/**
 * How this kernel serves the proc files, in the order of the vocabulary. Left out is a file that it does not serve,
 * and one whose path cannot be told: without the symbol table all but `remote`, without BTF `maps` and, from 6.17 on,
 * `procmap_query`.
 * @param profile has been asked for lockPathSymbols
 * @param learnt functions that were found otherwise than by their names
 */
export const lockPathsOf = (profile: KernelProfile, learnt?: LearntAddresses): LockPathEvidence[] =>
  procFiles
    .filter((file) => isServed(file, profile, learnt))
    .flatMap((file) => {
      const line = lines.find(({ files, seen }) => files.includes(file) && seen(profile));
      return line === undefined ? [] : [{ file, path: line.path, by: 'evidence', evidence: line.evidence }];
    });

/** The path of a file as fragments see it: 1 mmap_lock, 2 rcu_snapshot, 3 per_vma_lock, 0 not served or not known. */
export const lockPathNumber = (served: readonly ServedFile[], file: ProcFile): number => {
  const found = served.find((candidate) => candidate.file === file);
  return found === undefined ? 0 : lockPaths.indexOf(found.path) + 1;
};
