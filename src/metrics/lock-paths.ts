/** How the kernel of this host serves the files of /proc/PID: a fact of the kernel, known without a tracer. */
import type { LockPathEvidence } from '../probes/lock-path/evidence.js';
import type { Family } from './family.js';

export const lockPathFamilies = (lockPaths: () => readonly LockPathEvidence[]): Family[] => [
  {
    name: 'mmaplock_proc_file_lock_path_info',
    help: 'How this kernel serves a file of /proc/PID: its reader holds mmap_lock, works on snapshots (rcu_snapshot) or locks one VMA at a time (per_vma_lock); always 1. Absent where it cannot be told, or the kernel has no such file.',
    type: 'gauge',
    samples: () => lockPaths().map(({ file, path }) => ({ labels: { file, path }, value: 1 })),
  },
];
