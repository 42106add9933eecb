/** Retries under RCU snapshots, held against the acquisitions that the retrying function itself makes. */
import type { RunningDaemon } from '../../live/support/daemon.js';
import { runWorkload, witness } from '../../live/support/workload.js';
import type { Entry } from './entry.js';
import { check, figure } from './report.js';
import { seenOf } from './scenarios.js';

const name = 'rd-snapshot';

/** Shares nothing with the daemon: another event, told apart by the kernel's stack. */
const program = `
  tracepoint:mmap_lock:mmap_lock_start_locking /comm == "${name}"/ { @taken[kstack(8)] = count(); }`;

/** proc_get_vma() takes the lock only to look again (the patch of 2024); m_start() takes it once a read(). */
const retriesOf = (maps: Readonly<Record<string, unknown>>): number =>
  Object.entries((maps['@taken'] ?? {}) as Record<string, number>)
    .filter(([stack]) => stack.includes('proc_get_vma'))
    .reduce((sum, [, count]) => sum + count, 0);

export const snapshotRetries = async (daemon: RunningDaemon, { expect }: Entry): Promise<void> => {
  if (expect.paths.maps !== 'rcu_snapshot') return;
  const writers = await runWorkload('writers', ['--threads', '2', '--vmas', '300', '--seconds', '600']);
  await writers.ready;
  const second = await witness(program);
  const args = ['maps', String(writers.pid), '--name', name, '--seconds', '6'];
  const reader = await runWorkload('proc-reader', args);
  await reader.done;
  const truth = retriesOf(await second.stop());
  await writers.stop();
  const { retries } = seenOf(await daemon.settled(), name, 'maps');
  const told = `${retries} retries, ${truth} acquisitions in proc_get_vma()`;
  check(
    'maps: retries are the acquisitions in proc_get_vma(), within 2 %',
    truth > 50 && Math.abs(retries / truth - 1) <= 0.02,
    told,
  );
  figure('retries and their witness', told);
};
