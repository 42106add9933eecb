/**
 * What a waiter was doing, from what its saved registers and task flags say. Rules and their evidence are those of
 * kernel behaviour, seen on 6.18: a read-mode wait on the own mm inside a system call is a page fault in kernel
 * mode (copy_to_user and the like), unless the call itself takes the lock for reading.
 */
import type { Mode, Operation } from '../vocabulary.js';

/** Context bits as bpf/measures/waits.bt packs them; `procRead`: it reads (or clears) a proc file of that foreign mm. */
export const context = {
  exiting: 1,
  ioWorker: 2,
  kernelThread: 4,
  compat: 8,
  foreign: 16,
  procRead: 32,
} as const;

type Table = ReadonlyMap<number, Operation>;

/** arch/x86/entry/syscalls/syscall_64.tbl (stable ABI). */
const x86_64: Table = new Map([
  [9, 'mmap'],
  [10, 'mprotect'],
  [11, 'munmap'],
  [12, 'brk'],
  [25, 'mremap'],
  [28, 'madvise'],
  [56, 'clone'],
  [57, 'clone'], // fork
  [58, 'clone'], // vfork
  [59, 'execve'],
  [60, 'exit'],
  [231, 'exit'], // exit_group
  [322, 'execve'], // execveat
  [329, 'mprotect'], // pkey_mprotect
  [435, 'clone'], // clone3
  [440, 'madvise'], // process_madvise
]);

/** arch/x86/entry/syscalls/syscall_32.tbl, for 32-bit programs on a 64-bit kernel. */
const i386: Table = new Map([
  [1, 'exit'],
  [2, 'clone'], // fork
  [11, 'execve'],
  [45, 'brk'],
  [90, 'mmap'],
  [91, 'munmap'],
  [120, 'clone'],
  [125, 'mprotect'],
  [163, 'mremap'],
  [190, 'clone'], // vfork
  [192, 'mmap'], // mmap2
  [219, 'madvise'],
  [252, 'exit'], // exit_group
  [358, 'execve'], // execveat
  [380, 'mprotect'], // pkey_mprotect
  [435, 'clone'],
  [440, 'madvise'],
]);

/** Calls that take their own mmap_lock for reading themselves, besides those an operation names. */
const readLockers64 = new Set([26, 27, 149, 151, 237, 238, 239, 256, 279, 325]); // msync mincore mlock* mempolicy
const readLockers32 = new Set([144, 150, 152, 218, 274, 275, 276, 294, 317, 376]);

/** Operations that may take the lock for reading: populate, advice, and building the new program's stack. */
const readOperations = new Set<Operation>(['mmap', 'brk', 'mremap', 'madvise', 'execve']);

/**
 * The operation of one wait.
 * @param bits what {@link context} names
 * @param syscall system call number, -1 for a page fault from user mode, 1022 and above for unknown
 */
export const operationOf = (mode: Mode, bits: number, syscall: number): Operation => {
  if (bits & context.exiting) return 'exit';
  if (bits & context.kernelThread) return 'other';
  if (bits & context.foreign) return bits & context.procRead ? 'proc_read' : 'other';
  if (bits & context.ioWorker) return mode === 'read' ? 'page_fault' : 'other';
  if (syscall < 0) return 'page_fault';
  const compat = (bits & context.compat) !== 0;
  const named = (compat ? i386 : x86_64).get(syscall);
  if (mode === 'write') return named ?? 'other';
  if (named !== undefined && readOperations.has(named)) return named;
  return (compat ? readLockers32 : readLockers64).has(syscall) || syscall >= 1022 ? 'other' : 'page_fault';
};
