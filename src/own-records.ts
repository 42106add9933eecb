/** What the tracer tells of the daemon itself, which reads and calls while it looks on: once, at its start. */
import type { ProcFile } from './vocabulary.js';

/** How often reads by a descriptor took mmap_lock: counted once, while the daemon reads its own files at its start. */
export interface LockTakeRow {
  readonly descriptor: number;
  readonly takes: number;
  /** Those of them that kept it until the buffer was filled. */
  readonly fills: number;
}

/** What the daemon's own system calls and files showed: looked at once, at its start. */
export interface OwnSeen {
  /** Counts of calls and of registers in which their values were found, as numbered in bpf/start/own-files.bt, from 1. */
  readonly registers: readonly (number | undefined)[];
  /** Addresses of the operations of each open file, as numbered there; 0 where it has none. */
  readonly operations: readonly {
    readonly descriptor: number;
    readonly operation: number;
    readonly address: bigint;
  }[];
  /** The id of the daemon: as bpftrace has it, and as the kernel has it. */
  readonly ids: readonly [told: number | undefined, real: number | undefined];
  /** Its reads, as a source of reads told of them. */
  readonly reads: readonly { readonly file: ProcFile; readonly count: number }[];
}
