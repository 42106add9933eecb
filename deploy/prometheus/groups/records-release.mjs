/** The fleet by kernel release and lock path: did the upgrade help? */
import { fold, host, rateWhereObserved } from './promql.mjs';

const labels = 'cluster, release, file, path';

/**
 * How the kernel of a host serves the file, and its release. topk takes one where there are two for a moment, as when a
 * pod is replaced or two jobs scrape a host that boots another kernel: an ambiguous match would end the whole rule.
 */
const withPath = `* on (${host}, file) group_left (path) topk by (${host}, file) (1, mmaplock_proc_file_lock_path_info)`;
const withRelease = `* on (${host}) group_left (release) topk by (${host}) (1, mmaplock_kernel_info)`;

/** Sums over hosts; one that several jobs scrape counts once. */
const overHosts = (rates, more = '') =>
  fold(
    'sum',
    `${labels}${more}`,
    fold('max', `cluster, instance, release, file, path${more}`, `${rates}\n${withPath}\n${withRelease}`),
  );

/** @param {import('../thresholds.mjs').Thresholds} thresholds */
export const releaseRecords = (thresholds) => {
  const ofBlocks = (counter) =>
    `(\n  ${rateWhereObserved(counter, 'blocks', thresholds).replaceAll('\n', '\n  ')}\n)`;
  return {
    name: 'mmaplock-release',
    interval: thresholds.interval,
    rules: [
      {
        record: 'release_file_path:mmaplock_hosts:count',
        expr: fold(
          'count',
          labels,
          fold(
            'max',
            'cluster, instance, release, file, path',
            `topk by (${host}, file) (1, mmaplock_proc_file_lock_path_info)\n${withRelease}`,
          ),
        ),
      },
      {
        record: 'release_file_path:mmaplock_block_seconds:rate5m',
        expr: overHosts('instance_file:mmaplock_block_seconds:rate5m'),
      },
      {
        record: 'release_file_path:mmaplock_blocks:rate5m',
        expr: overHosts(ofBlocks('mmaplock_blocks_total')),
      },
      {
        record: 'release_file_path:mmaplock_proc_reads:rate5m',
        expr: overHosts('instance_file:mmaplock_proc_reads:rate5m'),
      },
      {
        record: 'release_file_path:mmaplock_proc_read_retries:rate5m',
        expr: overHosts('instance_file:mmaplock_proc_read_retries:rate5m'),
      },
      {
        record: 'release_file_path_le:mmaplock_block_duration_seconds_bucket:rate5m',
        expr: overHosts(ofBlocks('mmaplock_block_duration_seconds_bucket'), ', le'),
      },
    ],
  };
};
