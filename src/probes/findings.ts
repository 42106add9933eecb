/**
 * What the daemon found out about this kernel and this bpftrace when it started, by looking at what it did itself:
 * bpf/start/own-files.bt and bpf/start/lock-path.bt say what, src/watch/lock-path-check.ts does it.
 */
import type { OwnFile, OwnFileReads } from '../kernel/own-files.js';
import type { OwnSeen } from '../own-records.js';
import type { ProcFile } from '../vocabulary.js';
import type { OwnReads } from './lock-path/behaviour.js';

/** The fragment that sees it, besides lock-path. */
export const ownFilesFragment = 'own-files';

export interface Findings {
  /** How its reads took mmap_lock. */
  readonly reads: readonly OwnReads[];
  /** Addresses of functions that serve proc files, by name: those that kernel code calls. */
  readonly addresses: ReadonlyMap<string, bigint>;
  /** Whether saved registers lie where they are looked for; undefined where that was not seen. */
  readonly registers: 'right' | 'wrong' | undefined;
  /** Ids of processes as bpftrace has them: the kernel's, or those of its own pid namespace. */
  readonly processIds: 'global' | 'namespaced' | undefined;
  /** Sources that did not tell of each read once, with what they told. */
  readonly miscounting: ReadonlyMap<string, string>;
  /** Why some of it could not be tried, if so. */
  readonly untried: string | undefined;
}

export const nothingFound: Findings = {
  reads: [],
  addresses: new Map(),
  registers: undefined,
  processIds: undefined,
  miscounting: new Map(),
  untried: undefined,
};

/** What the daemon opens. Writing to clear_refs would change it, and map_files is a directory: they are not read. */
export const ownFiles: readonly OwnFile[] = [
  { name: 'maps', way: 'read' },
  { name: 'smaps', way: 'read' },
  { name: 'smaps_rollup', way: 'read' },
  { name: 'numa_maps', way: 'read' },
  { name: 'pagemap', way: 'read' },
  { name: 'clear_refs', way: 'write' },
  { name: 'map_files', way: 'list' },
];

/** Operations of struct file_operations, as numbered in @own_operations. */
const operations = { open: 1, read: 2, write: 3, iterate_shared: 4, unlocked_ioctl: 5 } as const;

/**
 * The functions that fragments may ask for by `address NAME`, and where each is found (fs/proc/task_mmu.c, and
 * fs/proc/base.c for map_files).
 */
const served: readonly (readonly [name: string, file: string, operation: keyof typeof operations])[] = [
  ['pid_maps_open', 'maps', 'open'],
  ['procfs_procmap_ioctl', 'maps', 'unlocked_ioctl'],
  ['pid_smaps_open', 'smaps', 'open'],
  ['smaps_rollup_open', 'smaps_rollup', 'open'],
  ['pid_numa_maps_open', 'numa_maps', 'open'],
  ['pagemap_open', 'pagemap', 'open'],
  ['pagemap_read', 'pagemap', 'read'],
  ['do_pagemap_cmd', 'pagemap', 'unlocked_ioctl'],
  ['clear_refs_write', 'clear_refs', 'write'],
  ['proc_map_files_readdir', 'map_files', 'iterate_shared'],
];

/** Their names. */
export const learntNames: readonly string[] = served.map(([name]) => name);

/** The addresses that were seen; a file without such an operation has none. */
export const addressesOf = (
  files: readonly OwnFileReads[],
  seen: OwnSeen['operations'],
): ReadonlyMap<string, bigint> =>
  new Map(
    served.flatMap(([symbol, name, operation]): [string, bigint][] => {
      const descriptor = files.find((file) => file.name === name)?.descriptor;
      const row = seen.find(
        (candidate) => candidate.descriptor === descriptor && candidate.operation === operations[operation],
      );
      return row === undefined || row.address === 0n ? [] : [[symbol, row.address]];
    }),
  );

/**
 * Whether registers lie where they are looked for, once that was looked at. Each call that was seen must have shown all
 * of them. Where no call was seen (no tracepoints of system calls), that reads were seen to take the lock shows number
 * and descriptor: up to 7.3 at least, each read of pagemap takes it.
 */
export const registersOf = (
  { registers: [calls = 0, ...rest] }: Pick<OwnSeen, 'registers'>,
  reads: readonly OwnReads[],
): 'right' | 'wrong' => {
  const [number = 0, first = 0, second = 0, fourth = 0, returns = 0, result = 0] = rest;
  if (calls > 0) {
    const entered = [number, first, second, fourth].every((right) => right === calls);
    return entered && returns > 0 && result === returns ? 'right' : 'wrong';
  }
  return reads.some(({ takes }) => takes > 0) ? 'right' : 'wrong';
};

/** Whose ids bpftrace gives. */
export const processIdsOf = ({ ids: [told, real] }: Pick<OwnSeen, 'ids'>): Findings['processIds'] => {
  if (told === undefined || real === undefined) return undefined;
  return told === real ? 'global' : 'namespaced';
};

/** What a source told of the reads of these files otherwise than they were made, in words; undefined where nothing. */
export const miscountOf = (files: readonly OwnFileReads[], seen: OwnSeen['reads']): string | undefined => {
  const wrong = files.flatMap(({ name, calls }) => {
    if (!ownFiles.some((file) => file.name === name && file.way === 'read')) return [];
    const told = seen.find(({ file }) => file === (name as ProcFile))?.count ?? 0;
    return told === calls ? [] : [`of ${calls} own reads of ${name} it told ${told}`];
  });
  return wrong.length === 0 ? undefined : wrong.join(', ');
};
