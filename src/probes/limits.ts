/**
 * What the fragments that run here cannot see, for people who read their numbers. What this host does not let be
 * observed at all is a reason of the plan. The CANNOT SEE of a fragment says more.
 */
import type { ProbePlan } from './plan.js';

export interface Limit {
  /** Stable: scripts read it. */
  readonly code: string;
  /** What is not seen, one sentence. */
  readonly text: string;
}

interface Line extends Limit {
  /** It applies where all of these fragments run... */
  readonly runs: readonly string[];
  /** ... and this one does not ... */
  readonly without?: string;
  /** ... and, if named, this constant of theirs is not known on this host. */
  readonly unknownConstant?: string;
}

const lines: readonly Line[] = [
  {
    code: 'short_waits',
    runs: ['waits'],
    text: 'Waits shorter than the optimistic spin, some 25 us: the task never queues.',
  },
  {
    code: 'waits_at_once',
    runs: ['contention-kprobe', 'waits'],
    text: 'Of the threads that wait at once, more than kretprobes have room for: as many as there are possible CPUs (twice that, and at least 10, on preemptible kernels and from Linux 6.6 on). The rest is not counted, but told in mmaplock_lost_events_total once those threads wait again or end.',
  },
  ...(['contention-fentry', 'contention-kprobe'] as const).map(
    (waits): Line => ({
      code: 'waits_without_sleep',
      runs: [waits, 'waits'],
      text: 'Waits in which the thread got the lock before it was switched out.',
    }),
  ),
  {
    code: 'two_waits_in_one',
    runs: ['contention-tracepoint-rt', 'waits'],
    text: 'That a writer which waits for a writer and then for readers waits once: this counts as two waits.',
  },
  {
    code: 'ongoing_waits',
    runs: ['waits'],
    text: 'Some of many waits that go on at once (of 100 about three, of 256 every fifth, and all beyond): they count when they end.',
  },
  {
    code: 'skipped_waits',
    runs: ['waits'],
    text: 'Waits whose probe the kernel had to skip: they show in mmaplock_probe_misses_total alone, where it counts them.',
  },
  {
    code: 'waits_in_exit_mmap',
    runs: ['waits'],
    text: 'Waits in exit_mmap(), after the address space has lost its owner.',
  },
  {
    code: 'vma_waits',
    runs: ['waits'],
    without: 'vma-waits',
    text: 'Waits for the lock of one VMA (Linux 6.4 and later): only who queues behind such a waiter is seen.',
  },
  {
    code: 'io_uring',
    runs: ['opens-tracepoint'],
    text: 'Readers that use io_uring: they make no system call to open or read.',
  },
  {
    code: 'compat_syscalls',
    runs: ['opens-tracepoint'],
    text: 'Readers that are 32-bit programs: the tracepoints of system calls do not fire for them.',
  },
  ...(['opens-fentry', 'opens-kprobe'] as const).flatMap((opens): Line[] => [
    {
      code: 'clear_refs_opens',
      runs: [opens, 'proc-reads'],
      text: 'Opens of clear_refs and map_files, which no function of their own serves: each write() to the one, each listing of the other counts as a read.',
    },
    {
      code: 'clear_refs_opens',
      runs: [opens],
      without: 'proc-reads',
      text: 'Opens of clear_refs and map_files, which no function of their own serves.',
    },
  ]),
  {
    code: 'clear_refs_writes',
    runs: ['reads-tracepoint', 'blocks'],
    text: 'Writes to clear_refs: they do not count as reads. Whom they block is seen.',
  },
  {
    code: 'clear_refs_writes',
    runs: ['reads-tracepoint'],
    without: 'blocks',
    text: 'Writes to clear_refs: they do not count as reads.',
  },
  ...(['reads-fentry', 'reads-kprobe'] as const).map(
    (reads): Line => ({
      code: 'refused_buffers',
      runs: [reads],
      text: 'Reads that are refused for their buffer (EFAULT).',
    }),
  ),
  {
    code: 'opened_before',
    runs: ['reads-tracepoint'],
    unknownConstant: 'DAEMON_PID',
    text: 'Readers of a file they opened before the tracer started: this daemon runs in a pid namespace of its own.',
  },
  {
    code: 'passed_descriptors',
    runs: ['reads-tracepoint'],
    without: 'retries',
    text: 'Readers of a descriptor that came by SCM_RIGHTS or pidfd_getfd().',
  },
  {
    code: 'passed_descriptors',
    runs: ['reads-tracepoint', 'retries'],
    text: 'Readers of a descriptor that came by SCM_RIGHTS or pidfd_getfd(), until they first take the lock of their target.',
  },
  {
    code: 'skipped_probes',
    runs: ['proc-reads'],
    text: 'Reads whose probe the kernel had to skip: with mmaplock_probe_misses_total, which it counts from Linux 6.7 (fentry: 5.12), they are at least all reads.',
  },
  {
    code: 'self_waits',
    runs: ['reader-waits'],
    text: 'That a process waits for its own lock because it reads its own maps: this counts as a page fault.',
  },
  {
    code: 'readers_without_syscall',
    runs: ['blocks', 'retries'],
    text: 'Retries, windows and blocks of readers that use io_uring or are 32-bit programs: what they do is told by the system call.',
  },
  {
    code: 'readers_without_syscall',
    runs: ['retries'],
    without: 'blocks',
    text: 'Retries of readers that use io_uring or are 32-bit programs: what they do is told by the system call.',
  },
  {
    code: 'readers_without_syscall',
    runs: ['blocks'],
    without: 'retries',
    text: 'Blocks by readers that use io_uring or are 32-bit programs: what they do is told by the system call.',
  },
  {
    code: 'self_retries',
    runs: ['retries'],
    text: 'Retries and windows of a process that reads its own maps: its retries look like its page faults.',
  },
  {
    code: 'retries_without_lock',
    runs: ['retries'],
    text: 'Retries that do not take mmap_lock, as when a VMA that was gone is looked for again.',
  },
  {
    code: 'no_windows',
    runs: ['blocks'],
    without: 'retries',
    text: 'Since when a reader holds the lock: it counts as holding it from read() to read(), and of two readers at once the one that came last is named.',
  },
  {
    code: 'fifth_reader',
    runs: ['blocks', 'retries'],
    text: 'Windows of more than four readers of one process at once: the part of the others goes to the four, or to ~unknown.',
  },
  {
    code: 'remote_blocks',
    runs: ['blocks'],
    text: 'Blocks by other access to a process (cmdline, environ, mem, ptrace, process_vm_readv): those waits count as unblocked.',
  },
  {
    code: 'map_files_links',
    runs: ['blocks', 'retries'],
    text: 'Blocks by who follows a link in map_files, for the moment of each look-up: those waits count as unblocked. Listings of it are seen, and count as holding the lock to the end of each call.',
  },
  {
    code: 'map_files_links',
    runs: ['blocks'],
    without: 'retries',
    text: 'Blocks by who follows a link in map_files, for the moment of each look-up: those waits count as unblocked. Listings of it are seen, and count as holding the lock from call to call.',
  },
  {
    code: 'queue_length',
    runs: ['convoys'],
    text: 'The exact length of the queue of a convoy: of two that arrive at once on two CPUs one may be missing.',
  },
  {
    code: 'convoys_without_lock',
    runs: ['convoys'],
    text: 'Convoys behind readers of files that are not served under mmap_lock.',
  },
  {
    code: 'vma_readers',
    runs: ['vma-waits'],
    text: 'Which reader a VMA wait was for.',
  },
  {
    code: 'reader_delays',
    runs: ['stalls'],
    text: 'How long a reader was without a CPU, in waits under the threshold, or where it took the lock in mid-wait without queueing.',
  },
];

/** The limits that apply to a plan. */
export const limitsOf = ({ chosen }: Pick<ProbePlan, 'chosen'>): Limit[] => {
  const running = new Set(chosen.map(({ fragment }) => fragment.name));
  const isUnknown = (constant: string): boolean =>
    chosen.some(({ constants }) => constants.get(constant) === 0);
  return lines
    .filter(
      ({ runs, without, unknownConstant }) =>
        runs.every((name) => running.has(name)) &&
        (without === undefined || !running.has(without)) &&
        (unknownConstant === undefined || isUnknown(unknownConstant)),
    )
    .map(({ code, text }) => ({ code, text }));
};
