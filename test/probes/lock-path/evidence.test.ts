import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readKernelProfile } from '../../../src/kernel/profile.js';
import { lockPathNumber, lockPathSymbols, lockPathsOf } from '../../../src/probes/lock-path/evidence.js';
import { type LockPath, lockPaths, type ProcFile } from '../../../src/vocabulary.js';
import { type FakeKernel, fakeKernel } from '../fake.js';

const present = (...names: readonly string[]): Record<string, number> =>
  Object.fromEntries(names.map((name) => [name, 1]));

/** The functions behind the files, before and since PROCMAP_QUERY (6.11). */
const files = present(
  'pid_maps_open',
  'pid_smaps_open',
  'smaps_rollup_open',
  'pid_numa_maps_open',
  'pagemap_read',
  'clear_refs_write',
);
const filesAndQuery = { ...files, ...present('procfs_procmap_ioctl') };

/** Of smap_gather_stats() in BTF. */
const gather = ['struct vm_area_struct *', 'struct mem_size_stats *', 'long unsigned int'];
const gatherForReader = ['struct proc_maps_private *', ...gather];

/**
 * What BTF and /proc/kallsyms of these kernels have, as read in each: Debian's cloud images for amd64, all with
 * CONFIG_KALLSYMS_ALL; 6.12.107 with the patch of 2024; a 6.18 built by gcc without CONFIG_KALLSYMS_ALL, whose BTF
 * lacks smap_gather_stats.
 */
const kernels: Readonly<Record<string, FakeKernel>> = {
  '6.1.176': {
    sizes: { proc_maps_private: 96 },
    members: { 'proc_maps_private.mm': 16 },
    symbols: { ...files, ...present('smaps_walk_ops', 'smap_gather_stats.part.0') },
  },
  '6.12.107': {
    sizes: { proc_maps_private: 104 },
    members: { 'proc_maps_private.mm': 16 },
    symbols: { ...filesAndQuery, ...present('smaps_walk_ops', 'smap_gather_stats.part.0') },
    parameters: { smap_gather_stats: gather },
  },
  '6.12.107 with the patch': {
    sizes: { proc_maps_private: 272 },
    members: {
      'proc_maps_private.mm': 16,
      'proc_maps_private.mm_wr_seq': 96,
      'proc_maps_private.vma_copy': 104,
    },
    symbols: { ...filesAndQuery, ...present('smaps_walk_ops', 'smap_gather_stats.part.0') },
  },
  '6.17.13': {
    sizes: { proc_maps_private: 128 },
    members: { 'proc_maps_private.mm': 16, 'proc_maps_private.locked_vma': 112 },
    symbols: {
      ...filesAndQuery,
      ...present('lock_next_vma', 'smaps_walk_ops', 'smap_gather_stats.part.0'),
    },
    parameters: { smap_gather_stats: gather },
  },
  '6.18.15': {
    sizes: { proc_maps_private: 144, proc_maps_locking_ctx: 24 },
    members: { 'proc_maps_locking_ctx.locked_vma': 16 },
    symbols: {
      ...filesAndQuery,
      ...present('lock_next_vma', 'smaps_walk_ops', 'smap_gather_stats.part.0'),
    },
    parameters: { smap_gather_stats: gather },
  },
  '6.18.44 without CONFIG_KALLSYMS_ALL': {
    sizes: { proc_maps_private: 144, proc_maps_locking_ctx: 24 },
    members: { 'proc_maps_locking_ctx.locked_vma': 16 },
    symbols: { ...filesAndQuery, ...present('lock_next_vma', 'smap_gather_stats.part.0') },
  },
  '7.2.12': {
    sizes: { proc_maps_private: 144, proc_maps_locking_ctx: 24 },
    members: { 'proc_maps_locking_ctx.locked_vma': 16 },
    symbols: {
      ...filesAndQuery,
      ...present('lock_next_vma', 'smaps_walk_ops', 'smaps_walk_vma_lock_ops'),
    },
    parameters: { smap_gather_stats: gatherForReader },
  },
};

type Paths = Partial<Record<ProcFile, LockPath>>;

const old: Paths = {
  maps: 'mmap_lock',
  smaps: 'mmap_lock',
  smaps_rollup: 'mmap_lock',
  numa_maps: 'mmap_lock',
  pagemap: 'mmap_lock',
  clear_refs: 'mmap_lock',
  remote: 'mmap_lock',
};
const oldWithQuery: Paths = { ...old, procmap_query: 'mmap_lock' };

/** As the mmap_lock tracepoints show it in these kernels: how often a reader takes the lock of its target in a read(). */
const measured: Readonly<Record<string, Paths>> = {
  '6.1.176': old,
  '6.12.107': oldWithQuery,
  '6.12.107 with the patch': { ...oldWithQuery, maps: 'rcu_snapshot' },
  '6.17.13': { ...oldWithQuery, maps: 'per_vma_lock' },
  '6.18.15': { ...oldWithQuery, maps: 'per_vma_lock', procmap_query: 'per_vma_lock' },
  '6.18.44 without CONFIG_KALLSYMS_ALL': {
    ...oldWithQuery,
    maps: 'per_vma_lock',
    procmap_query: 'per_vma_lock',
  },
  '7.2.12': {
    ...oldWithQuery,
    maps: 'per_vma_lock',
    procmap_query: 'per_vma_lock',
    smaps: 'per_vma_lock',
    numa_maps: 'per_vma_lock',
  },
};

const pathsOf = (kernel: FakeKernel): Paths =>
  Object.fromEntries(lockPathsOf(fakeKernel(kernel)).map(({ file, path }) => [file, path]));

const kernelOf = (name: string): FakeKernel => kernels[name]!;

for (const [name, kernel] of Object.entries(kernels))
  test(`lock paths of ${name} are those measured there`, () => {
    assert.deepEqual(pathsOf(kernel), measured[name]);
  });

test('each path comes with the evidence in a sentence', () => {
  for (const kernel of Object.values(kernels))
    for (const { evidence } of lockPathsOf(fakeKernel(kernel))) assert.match(evidence, /^[A-Za-z].{20,}\.$/);
  const [maps, smaps] = lockPathsOf(fakeKernel(kernelOf('7.2.12')));
  assert.match(maps!.evidence, /lock_next_vma/);
  assert.match(smaps!.evidence, /smap_gather_stats takes a proc_maps_private/);
});

test('either trace of the page walk under VMA locks is enough: BTF can lack the function, kallsyms the data', () => {
  const { parameters, symbols, ...rest } = kernelOf('7.2.12');
  const { smaps_walk_ops, smaps_walk_vma_lock_ops, ...text } = symbols!;
  assert.ok(smaps_walk_ops && smaps_walk_vma_lock_ops);
  for (const kernel of [
    { ...rest, symbols: symbols! },
    { ...rest, symbols: text, parameters: parameters! },
  ])
    assert.deepEqual([pathsOf(kernel).smaps, pathsOf(kernel).numa_maps], ['per_vma_lock', 'per_vma_lock']);
});

test('each trace of a page walk under mmap_lock alone is enough on a kernel that locks VMAs for maps', () => {
  const { parameters, symbols, ...rest } = kernelOf('6.18.15');
  const { smaps_walk_ops, 'smap_gather_stats.part.0': split, ...others } = symbols!;
  assert.ok(smaps_walk_ops && split);
  for (const kernel of [
    { ...rest, symbols: others, parameters: parameters! },
    { ...rest, symbols: { ...others, smaps_walk_ops } },
    { ...rest, symbols: { ...others, 'smap_gather_stats.part.0': split } },
  ])
    assert.deepEqual(pathsOf(kernel), measured['6.18.15']);
});

test('without any trace of the page walk, smaps and numa_maps are left out, and nothing else is', () => {
  const { parameters: _, symbols, ...rest } = kernelOf('7.2.12');
  const { smaps_walk_ops: _1, smaps_walk_vma_lock_ops: _2, ...text } = symbols!;
  assert.deepEqual(pathsOf({ ...rest, symbols: text }), {
    maps: 'per_vma_lock',
    smaps_rollup: 'mmap_lock',
    pagemap: 'mmap_lock',
    clear_refs: 'mmap_lock',
    procmap_query: 'per_vma_lock',
    remote: 'mmap_lock',
  });
});

test('a kernel of 7.2 without CONFIG_PER_VMA_LOCK holds mmap_lock for everything', () => {
  const { symbols, ...rest } = kernelOf('7.2.12');
  const { lock_next_vma, smaps_walk_vma_lock_ops, ...others } = symbols!;
  assert.ok(lock_next_vma && smaps_walk_vma_lock_ops);
  const kernel = { ...rest, members: {}, symbols: others };
  assert.deepEqual(pathsOf(kernel), oldWithQuery);
});

test('a file the kernel does not serve is left out', () => {
  const { symbols, ...rest } = kernelOf('6.12.107');
  const { pid_numa_maps_open, ...others } = symbols!;
  assert.ok(pid_numa_maps_open, 'CONFIG_NUMA');
  assert.ok(!('numa_maps' in pathsOf({ ...rest, symbols: others })));
  assert.ok(!('procmap_query' in pathsOf(kernelOf('6.1.176'))));
});

test('without BTF the path of maps is not known on an older kernel: it may have the patch', () => {
  const { maps, ...others } = oldWithQuery;
  assert.equal(maps, 'mmap_lock');
  assert.deepEqual(pathsOf({ ...kernelOf('6.12.107'), btf: false }), others);
  assert.deepEqual(pathsOf({ ...kernelOf('6.12.107 with the patch'), btf: false }), others);
});

test('without BTF no path is called mmap_lock that is not: 7.2', () => {
  assert.deepEqual(pathsOf({ ...kernelOf('7.2.12'), btf: false }), {
    smaps: 'per_vma_lock',
    smaps_rollup: 'mmap_lock',
    numa_maps: 'per_vma_lock',
    pagemap: 'mmap_lock',
    clear_refs: 'mmap_lock',
    remote: 'mmap_lock',
  });
});

test('without the symbol table only remote is told', () => {
  assert.deepEqual(pathsOf({ ...kernelOf('7.2.12'), symbols: {} }), { remote: 'mmap_lock' });
});

test('the numbers that fragments see', () => {
  const numbers = (name: string, ...files: readonly ProcFile[]): number[] =>
    files.map((file) => lockPathNumber(lockPathsOf(fakeKernel(kernelOf(name))), file));
  assert.deepEqual(numbers('6.12.107 with the patch', 'smaps', 'maps'), [1, 2]);
  assert.deepEqual(numbers('6.17.13', 'maps'), [3]);
  assert.deepEqual(numbers('6.1.176', 'procmap_query'), [0]);
});

test('this kernel answers: every symbol that is looked up was asked for', async () => {
  const profile = await readKernelProfile({ symbols: lockPathSymbols, tracepoints: [] });
  for (const { path } of lockPathsOf(profile)) assert.ok(lockPaths.includes(path));
});
