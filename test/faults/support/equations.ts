/** What is counted by name is counted in all, too: each family with names, held against the one without. */
import assert from 'node:assert/strict';
import type { Metrics } from '../../live/support/daemon.js';

/** Family with names, family without, and the label they share. */
const pairs: readonly (readonly [string, string, string | undefined])[] = [
  ['process_waits', 'waits', 'mode'],
  ['process_wait_seconds', 'wait_seconds', 'mode'],
  ['reader_opens', 'proc_opens', 'file'],
  ['reader_reads', 'proc_reads', 'file'],
  ['reader_retries', 'proc_read_retries', 'file'],
  ['reader_fallbacks', 'proc_read_fallbacks', 'file'],
  ['reader_waits', 'proc_read_waits', 'file'],
  ['reader_wait_seconds', 'proc_read_wait_seconds', 'file'],
  ['reader_blocks', 'blocks', 'file'],
  ['reader_block_seconds', 'block_seconds', 'file'],
  ['victim_convoy_wait_seconds', 'convoy_wait_seconds', undefined],
  ['victim_vma_wait_seconds', 'vma_wait_seconds', undefined],
];

/**
 * Fails where the sum over names differs from the total, for any value of the label they share.
 * @returns how many equations with a total over 0 were held
 */
export const assertEquations = (metrics: Metrics, when: string): number => {
  let held = 0;
  for (const [byName, inAll, label] of pairs) {
    const [named, totals] = [`mmaplock_${byName}_total`, `mmaplock_${inAll}_total`];
    const values =
      label === undefined ? [''] : [...new Set(metrics.all(totals).map(({ labels }) => labels[label] ?? ''))];
    for (const value of values) {
      const labels = label === undefined ? {} : { [label]: value };
      const total = metrics.sum(totals, labels) ?? 0;
      const sum = metrics.sum(named, labels) ?? 0;
      assert.equal(sum.toFixed(9), total.toFixed(9), `${when}: ${named} and ${totals} of ${value || 'all'}`);
      if (total > 0) held += 1;
    }
  }
  return held;
};
