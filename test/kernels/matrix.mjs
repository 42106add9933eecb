/**
 * The kernels that the tests boot, in the order of the table. A kernel is added here and nowhere else.
 *
 * - `name`: for the table and the command line
 * - `suite`: the Debian release of its root file system, with the bpftrace and the perf of that release
 * - `kernel`: a `package` of that release, or a `file`, relative to the project, that boots without an initrd;
 *   where that file is not there, the entry is skipped
 * - `seconds`: about how long it runs on a quiet machine, so that the longest starts first
 * - `expect`: what holds on this kernel, for the tests in the guest (guest/entry.ts says what each of it means)
 */

/** All files under mmap_lock: every kernel before 6.17. PROCMAP_QUERY is there since 6.11. */
const underMmapLock = {
  maps: 'mmap_lock',
  smaps: 'mmap_lock',
  smaps_rollup: 'mmap_lock',
  numa_maps: 'mmap_lock',
  pagemap: 'mmap_lock',
};

export const matrix = [
  {
    name: '6.1',
    suite: 'bookworm',
    kernel: { package: 'linux-image-cloud-amd64' },
    seconds: 180,
    expect: { paths: underMmapLock, vmaLockIsRwsem: false, vmaWaits: false, kprobes: true, inspect: true },
  },
  {
    name: '6.12',
    suite: 'trixie',
    kernel: { package: 'linux-image-cloud-amd64' },
    seconds: 130,
    expect: {
      paths: { ...underMmapLock, procmap_query: 'mmap_lock' },
      vmaLockIsRwsem: true,
      vmaWaits: false,
    },
  },
  {
    name: '6.12-rcu',
    suite: 'trixie',
    // Linux 6.12 with the patch of January 2024 that reads maps under RCU.
    kernel: { file: '../shared/kernels/maps-rcu-v2/bzImage' },
    seconds: 140,
    expect: {
      paths: { ...underMmapLock, maps: 'rcu_snapshot', procmap_query: 'mmap_lock' },
      vmaLockIsRwsem: true,
      vmaWaits: false,
    },
  },
  {
    name: '7.2',
    suite: 'forky',
    kernel: { package: 'linux-image-cloud-amd64' },
    seconds: 140,
    expect: {
      paths: {
        maps: 'per_vma_lock',
        smaps: 'per_vma_lock',
        smaps_rollup: 'mmap_lock',
        numa_maps: 'per_vma_lock',
        pagemap: 'mmap_lock',
        procmap_query: 'per_vma_lock',
      },
      vmaLockIsRwsem: false,
      vmaWaits: true,
    },
  },
];
