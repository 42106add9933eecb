/** What the entry of matrix.mjs says of this kernel. */
import { readFileSync } from 'node:fs';
import type { LockPath, ProcFile } from '../../../src/vocabulary.js';

export interface Expectations {
  /** How the kernel serves the files; one that is not named it does not serve. */
  readonly paths: Readonly<Partial<Record<ProcFile, LockPath>>>;
  /** Contended locks of VMAs look like those of an mmap_lock to perf (6.4 to 6.13): an independent program tells them. */
  readonly vmaLockIsRwsem: boolean;
  /** A writer that locks a VMA sleeps behind its readers where no lock tracepoint fires (6.15). */
  readonly vmaWaits: boolean;
  /** What tells of reads and waits where all kinds of probes are allowed; fentry unless said otherwise. */
  readonly functions?: 'kprobe';
  /** What tells of reads, where that is another kind than of the rest: fexit of seq_read() takes Linux 5.18. */
  readonly reads?: 'kprobe';
  /** False where no tracepoint tells of waits (before 5.19), to perf as little as to us. */
  readonly contentionTracepoints?: false;
  /** What is looked at alone, on a host of another kind. */
  readonly only?: 'preempt_rt' | 'lockdown';
  /** The daemon is also run with kprobes in place of all that fentry and contention tracepoints do, where `whole` is asked for: one kernel is enough. */
  readonly kprobes?: boolean;
  /** Two readers are held against what inspect mode sees of their holds: one kernel is enough. */
  readonly inspect?: boolean;
}

export interface Entry {
  readonly name: string;
  /** All of it, the second run of the scenarios by kprobes, too. */
  readonly whole: boolean;
  readonly expect: Expectations;
}

export const readEntry = (file: string): Entry => JSON.parse(readFileSync(file, 'utf8')) as Entry;
