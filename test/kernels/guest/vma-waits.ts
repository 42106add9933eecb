/** A writer that sleeps for one VMA, with mmap_lock in its hands, while its smaps is read. */
import type { RunningDaemon } from '../../live/support/daemon.js';
import { runWorkload } from '../../live/support/workload.js';
import { check, figure } from './report.js';
import { total } from './scenarios.js';

const victim = 'vma-toggler';

export const vmaWaits = async (daemon: RunningDaemon): Promise<void> => {
  const writer = await runWorkload('vma-toggler', ['--name', victim, '--seconds', '10', '--pin', '0'], {
    gate: true,
  });
  await writer.ready;
  const before = total(await daemon.settled(), 'vma_waits_total');
  // Until it is stopped: one whose time was up before the writer began left nothing to sleep for.
  const args = ['smaps', String(writer.pid), '--name', 'rd-toggler', '--pin', '1', '--seconds', '600'];
  const reader = await runWorkload('proc-reader', args);
  await reader.ready;
  writer.release();
  const result = await writer.done;
  await reader.stop();
  const metrics = await daemon.settled();
  const counted = total(metrics, 'vma_waits_total') - before;
  const seconds = total(metrics, 'victim_vma_wait_seconds_total', { victim });
  // The same thread also waits for mmap_lock itself now and then: those sleeps are waits, and counted as such.
  const waits = total(metrics, 'process_waits_total', { process: victim });
  // Each VMA wait is in a call that slept; a call that slept had a VMA wait, a wait, or one of each.
  const slept = result.slept.count;
  const told =
    `${counted} VMA waits of ${seconds.toFixed(3)} s and ${waits} waits; the writer slept in ${slept} calls, ` +
    `for ${(result.slept.sum_ns / 1e9).toFixed(3)} s, ${result.calls.over_1ms} of them over 1 ms`;
  check(
    'VMA waits: within 5 % of the sleeps of the writer',
    slept > 20 && counted <= 1.05 * slept && counted + waits >= 0.95 * slept,
    told,
  );
  figure('VMA waits', told);
};
