/**
 * The kernels that the tests boot, in the order of the table. A kernel is added here and nowhere else.
 *
 * - `name`: for the table and the command line
 * - `suite`: the Debian release of its root file system, with the bpftrace and the perf of that release
 * - `kernel`: a `package` of that release, or of another one that `from` names; or a `file`, relative to the project,
 *   that boots without an initrd: where that file is not there, the entry is skipped
 * - `boot`: further boot parameters
 * - `hosts`: true for a kind of host that only `npm run test:all` looks at: it takes no turn in .ci/run
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

/** From 7.2 on. */
const perVma = {
  maps: 'per_vma_lock',
  smaps: 'per_vma_lock',
  smaps_rollup: 'mmap_lock',
  numa_maps: 'per_vma_lock',
  pagemap: 'mmap_lock',
  procmap_query: 'per_vma_lock',
};

/** What Linux 5.10 serves: PROCMAP_QUERY is not there. */
const oldKernel = {
  paths: underMmapLock,
  vmaLockIsRwsem: false,
  vmaWaits: false,
  contentionTracepoints: false,
};

export const matrix = [
  {
    name: '5.10',
    suite: 'bookworm',
    // Debian 11's kernel. bpftrace 0.17 finds no BTF on it, and so no fentry.
    kernel: { package: 'linux-image-cloud-amd64', from: 'bullseye' },
    hosts: true,
    seconds: 180,
    expect: { ...oldKernel, functions: 'kprobe' },
  },
  {
    name: '5.10-fentry',
    suite: 'trixie',
    kernel: { package: 'linux-image-cloud-amd64', from: 'bullseye' },
    hosts: true,
    seconds: 180,
    expect: { ...oldKernel, reads: 'kprobe' },
  },
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
    name: '6.12-rt',
    suite: 'trixie',
    kernel: { package: 'linux-image-rt-amd64' },
    hosts: true,
    seconds: 90,
    expect: { paths: {}, only: 'preempt_rt' },
  },
  {
    name: '6.12-lockdown',
    suite: 'trixie',
    kernel: { package: 'linux-image-cloud-amd64' },
    boot: 'lockdown=confidentiality',
    hosts: true,
    seconds: 60,
    expect: { paths: {}, only: 'lockdown' },
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
      paths: perVma,
      vmaLockIsRwsem: false,
      vmaWaits: true,
    },
  },
  {
    name: '7.3',
    suite: 'trixie',
    kernel: { package: 'linux-image-cloud-amd64', from: 'trixie-backports' },
    hosts: true,
    seconds: 140,
    expect: { paths: perVma, vmaLockIsRwsem: false, vmaWaits: true },
  },
];
