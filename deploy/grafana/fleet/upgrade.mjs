/** Kernels beside each other: did the upgrade help? */
import { lines } from '../panels/lines.mjs';
import { matrix } from '../panels/table.mjs';
import { inClusters } from '../selectors.mjs';

const picked = `${inClusters}, file=~"$file"`;
const byPath = (record) => `sum by (release, file, path) (release_file_path:${record}{${picked}})`;
const legend = '{{file}} by {{path}}, {{release}}';

export const upgrade = {
  title: 'Did the upgrade help: kernels and lock paths beside each other',
  panels: [
    lines('Block duration, p99, by kernel and lock path', {
      says: 'Of the waits behind readers of a file, the longest 1 % took at least so long. One line for each file, lock path and kernel release: pick one file above, and compare the release before the upgrade with the one after it. A line that ends is a kernel that is gone; a gap means that nobody was blocked. Buckets are powers of two, so a step by less than a factor of two says little.',
      unit: 's',
      queries: [
        [
          legend,
          `histogram_quantile(0.99, sum by (release, file, path, le) (release_file_path_le:mmaplock_block_duration_seconds_bucket:rate5m{${picked}}))`,
        ],
      ],
      height: 10,
    }),
    lines('Threads behind readers, per host', {
      says: 'How many threads of a host stand behind readers of a file, on average, by its lock path and kernel. Divided by the hosts of that kernel, so that a large and a small group compare. This is what an upgrade should bring down: under `per_vma_lock` a reader seldom blocks. Blocks that no reader can be shown to own have no file, and are left out.',
      unit: 'short',
      queries: [[legend, `${byPath('mmaplock_block_seconds:rate5m')} / ${byPath('mmaplock_hosts:count')}`]],
      height: 10,
    }),
    lines('Blocks per read', {
      says: 'How many waits one read() of a file causes, on average. It does not depend on how busy the readers are, so it shows what the kernel does. 1 % means that each hundredth read stands in the way of one writer.',
      unit: 'percentunit',
      queries: [
        [legend, `${byPath('mmaplock_blocks:rate5m')} / (${byPath('mmaplock_proc_reads:rate5m')} > 0)`],
      ],
    }),
    lines('Retries per read', {
      says: 'How often a reader that works without mmap_lock had to take it for a moment, per read(): the price readers pay instead of their victims. 0 under `mmap_lock`, where there is nothing to retry. After an upgrade this rises while blocks fall. Near 100 % readers meet a writer in each read.',
      unit: 'percentunit',
      queries: [
        [
          legend,
          `${byPath('mmaplock_proc_read_retries:rate5m')} / (${byPath('mmaplock_proc_reads:rate5m')} > 0)`,
        ],
      ],
    }),
    matrix('Hosts by file and lock path', {
      says: 'On how many hosts a file is served by which lock path. Two figures in one line are a mixed fleet: a reader that is harmless on one host can block on the next. An empty cell: no such host.',
      unit: 'short',
      down: 'file',
      across: 'path',
      expr: `sum by (file, path) (release_file_path:mmaplock_hosts:count{${inClusters}})`,
    }),
    lines('Hosts by kernel', {
      says: 'Hosts by kernel release, told by those whose lock path of `maps` is known. It shows the roll-out: when which part of the fleet moved.',
      unit: 'short',
      stack: true,
      queries: [
        [
          '{{release}}',
          `sum by (release) (release_file_path:mmaplock_hosts:count{${inClusters}, file="maps"})`,
        ],
      ],
    }),
  ],
};
