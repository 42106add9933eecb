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

/** What a host lets us see, or not: the `what` label of `mmaplock_observable`. */
export const observables = ['waits', 'operations', 'reads', 'retries', 'blocks', 'holds'] as const;
export type Observable = (typeof observables)[number];

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

/** Why a tracer ended: the `reason` label of restarts and blind seconds. */
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
] as const;
export type RestartReason = (typeof restartReasons)[number];
