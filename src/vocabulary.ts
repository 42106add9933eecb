/** The words of this project that code, metrics and pages share. Meanings: README, "Words". */

/** How a waiter wants the lock. */
export type Mode = 'read' | 'write';

/** What the waiter was doing. */
export const operations = [
  'mmap',
  'munmap',
  'mprotect',
  'mremap',
  'brk',
  'madvise',
  'page_fault',
  'clone',
  'execve',
  'exit',
  'proc_read',
  'other',
] as const;
export type Operation = (typeof operations)[number];

/**
 * Files of /proc/PID whose reader looks at the target's address space: the `file` label. `procmap_query` is the ioctl
 * on maps, PAGEMAP_SCAN is one on pagemap; `remote` is other access to a foreign address space (cmdline, environ, mem,
 * ptrace, process_vm_*); `map_files` is a directory that is listed. Probes number them in this order, from 1.
 */
export const procFiles = [
  'maps',
  'smaps',
  'smaps_rollup',
  'numa_maps',
  'pagemap',
  'clear_refs',
  'procmap_query',
  'remote',
  'map_files',
] as const;
export type ProcFile = (typeof procFiles)[number];

/** How a kernel serves a proc file: its reader holds mmap_lock, works on snapshots, or locks one VMA at a time. */
export const lockPaths = ['mmap_lock', 'rcu_snapshot', 'per_vma_lock'] as const;
export type LockPath = (typeof lockPaths)[number];

/** What a lock path means to the process that is looked at, for somebody who never heard of these locks. */
export const lockPathMeanings: Readonly<Record<LockPath, { readonly title: string; readonly text: string }>> =
  {
    mmap_lock: {
      title: 'holds the lock of the whole address space',
      text: 'While it reads, the process cannot map or unmap memory; whoever tries waits, and page faults queue behind.',
    },
    per_vma_lock: {
      title: 'locks one mapping at a time',
      text: 'The process hardly notices. When its mappings change meanwhile, the reader takes the lock of all for a moment, and retries.',
    },
    rcu_snapshot: {
      title: 'takes the lock for a moment at each read, and copies each mapping without it',
      text: 'The process hardly notices. When its mappings change meanwhile, the reader takes the lock for a moment, and retries.',
    },
  };

/** Stands in label values for the part of blocks that no reader can be shown to own. */
export const unknown = '~unknown';

/** What a host lets us see, or not: the `what` label of `mmaplock_observable`. */
export const observables = [
  'waits',
  'operations',
  'opens',
  'reads',
  'retries',
  'fallbacks',
  'blocks',
  'vma_waits',
  'convoys',
  'blocked_time',
  'stalls',
  'holds',
] as const;
export type Observable = (typeof observables)[number];

/** The same in a few words, for those who read them for the first time. */
export const observableMeanings: Readonly<Record<Observable, string>> = {
  waits: 'who waits for mmap_lock, to read or to write, how often and for how long',
  operations: 'what they were doing: mmap, munmap, a page fault and so on',
  opens: 'who opens maps, smaps and the like',
  reads: 'who reads them',
  retries:
    'how often such a reader had to take the lock of the whole address space for a moment, for mappings changed under it',
  fallbacks: 'how often it gave up, and held that lock for the rest of its read()',
  blocks: 'which reader made which process wait, and for how long',
  vma_waits: 'waits of a writer for the lock of a single mapping',
  convoys: 'page faults and other read waits that queued behind a writer which a reader blocked',
  blocked_time: 'for what part of the time some process had a writer behind a reader',
  stalls: 'each long wait by itself, with its readers: incidents',
  holds: 'how often readers held the lock, and for how long in all',
};

/** The pairs of mode and operation that can occur: these series exist at 0 from the first scrape. */
export const waitPairs: readonly (readonly [Mode, Operation])[] = [
  ['write', 'mmap'],
  ['write', 'munmap'],
  ['write', 'mprotect'],
  ['write', 'mremap'],
  ['write', 'brk'],
  ['write', 'madvise'],
  ['write', 'page_fault'], // the stack grows
  ['write', 'clone'],
  ['write', 'execve'],
  ['write', 'exit'],
  ['write', 'proc_read'], // clear_refs
  ['write', 'other'],
  ['read', 'page_fault'],
  ['read', 'mmap'], // MAP_POPULATE, as for brk and mremap under mlockall
  ['read', 'brk'],
  ['read', 'mremap'],
  ['read', 'madvise'],
  ['read', 'execve'],
  ['read', 'exit'],
  ['read', 'proc_read'],
  ['read', 'other'],
];

/** Why a tracer ended: the `reason` label of restarts. */
export const restartReasons = [
  'exited', // it ended by itself
  'killed', // a signal we did not send
  'rejected', // compiler or verifier refused the program
  'attach', // fewer probes attached than planned
  'timeout', // it was not ready in time
  'stalled', // it lived, but sent no ticks
  'missing', // bpftrace is not there, or does not work at all
  'map_full', // a map was full: started again with empty maps
  'replan', // started again with other fragments
  'budget', // started again with fewer fragments, or more, to keep to the cost budget
] as const;
export type RestartReason = (typeof restartReasons)[number];

/** Why nothing was observed: the `reason` label of blind seconds. `switched_off`: nothing is to be. */
export const blindReasons = [...restartReasons, 'switched_off'] as const;
export type BlindReason = (typeof blindReasons)[number];

/** Why the kernel refused to change a BPF map that was not full: the `reason` label of lost updates. */
export const updateLosses = [
  'busy', // EBUSY: the CPU was interrupted while it held the lock of that part of the map
  'deadlock', // EDEADLK: so it was, told by the locks of Linux 6.15
  'timeout', // ETIMEDOUT: no lock within the quarter of a second that these wait
  'no_memory', // ENOMEM
  'other',
] as const;
export type UpdateLoss = (typeof updateLosses)[number];

/** What is given up where probes cost more than their budget, in this order; what was given up last comes back first. */
export const shedSteps = ['inspect', 'retries', 'reads', 'opens', 'waits'] as const;
export type ShedStep = (typeof shedSteps)[number];

/** What is not seen any more after each step: the `what` label of `mmaplock_shed`. */
export const shedBy: Readonly<Record<ShedStep, readonly Observable[]>> = {
  inspect: ['holds'],
  retries: ['retries'],
  reads: ['reads', 'blocks'],
  opens: ['opens'],
  waits: ['waits', 'operations'],
};
