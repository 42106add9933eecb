/** Retries under RCU snapshots, held against the acquisitions that the retrying function itself makes. */
import type { RunningDaemon } from '../../live/support/daemon.js';
import { runWorkload } from '../../live/support/workload.js';
import { check, figure } from './report.js';
import { seenOf } from './scenarios.js';
import type { Scenario } from './second-opinion.js';

const name = 'rd-snapshot';

/** Another event than the daemon's, told apart by the kernel's stack. */
const probes = `
  tracepoint:mmap_lock:mmap_lock_start_locking /comm == "${name}"/ { @taken[kstack(8)] = count(); }`;

/** proc_get_vma() takes the lock only to look again (the patch of 2024); m_start() takes it once a read(). */
const retriesOf = (maps: Readonly<Record<string, unknown>>): number =>
  Object.entries((maps['@taken'] ?? {}) as Record<string, number>)
    .filter(([stack]) => stack.includes('proc_get_vma'))
    .reduce((sum, [, count]) => sum + count, 0);

/** Only where maps is read under RCU snapshots. */
export const snapshotRetries = (daemon: RunningDaemon): Scenario => ({
  name: 'snapshot retries',
  probes,
  play: async () => {
    const writers = await runWorkload('writers', ['--threads', '2', '--vmas', '300', '--seconds', '600']);
    await writers.ready;
    const args = ['maps', String(writers.pid), '--name', name, '--seconds', '6'];
    const reader = await runWorkload('proc-reader', args);
    await reader.done;
    await writers.stop();
    const { retries } = seenOf(await daemon.settled(), name, 'maps');
    return (maps) => {
      const truth = retriesOf(maps);
      const told = `${retries} retries, ${truth} acquisitions in proc_get_vma()`;
      check(
        'maps: retries are the acquisitions in proc_get_vma(), within 2 %',
        truth > 50 && Math.abs(retries / truth - 1) <= 0.02,
        told,
      );
      figure('retries and their witness', told);
    };
  },
});
