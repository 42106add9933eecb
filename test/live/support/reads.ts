/** Reads by name, held against what the reader counted of itself. */
import assert from 'node:assert/strict';
import type { Metrics } from './daemon.js';

/** What the daemon says of one reader: an operator's query, by name. */
export const seenOf = (metrics: Metrics, reader: string, file: string) => {
  const sum = (what: string): number => metrics.sum(`mmaplock_reader_${what}_total`, { reader, file }) ?? 0;
  return { opens: sum('opens'), reads: sum('reads'), retries: sum('retries'), waits: sum('waits') };
};

/** Probes the kernel skipped because they would have recursed (see README): what they would have counted is missing. */
const missed = (metrics: Metrics): number =>
  metrics
    .all('mmaplock_probe_misses_total')
    .filter(({ labels }) => labels.probe?.includes('sys_exit_'))
    .reduce((sum, { value }) => sum + value, 0);

export const assertReads = (metrics: Metrics, counted: number, truth: number): void => {
  const misses = missed(metrics);
  if (misses === 0) assert.equal(counted, truth, 'the count of the reader itself');
  else assert.ok(counted <= truth && counted + misses >= truth, `${counted} + ${misses} missed of ${truth}`);
};
