/** Blocks, held against what the scheduler says of the thread that was blocked. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { assertTimely } from '../../support/timing.js';
import type { Metrics } from './daemon.js';
import type { WritersResult } from './workload.js';

export const total = (
  metrics: Metrics,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number => metrics.sum(name, labels) ?? 0;

/** Blocks, unblocked waits and waits are counted apart, and must agree to the nanosecond. */
export const assertConserved = (metrics: Metrics): void => {
  const blocked = total(metrics, 'mmaplock_block_seconds_total');
  const unblocked = total(metrics, 'mmaplock_unblocked_wait_seconds_total');
  const waited = total(metrics, 'mmaplock_wait_seconds_total');
  assert.ok(waited > 0);
  assert.equal(
    (blocked + unblocked).toFixed(9),
    waited.toFixed(9),
    'blocks and unblocked waits are all waits',
  );
  assert.equal(
    total(metrics, 'mmaplock_reader_block_seconds_total').toFixed(9),
    blocked.toFixed(9),
    'by reader and victim, and in all',
  );
};

interface Block {
  readonly reader: string;
  readonly file: string;
  readonly victim: string;
}

/** No other reader blocked the victim. */
const assertNobodyElse = (metrics: Metrics, { reader, victim }: Block): void => {
  const others = metrics
    .all('mmaplock_reader_block_seconds_total', { victim })
    .filter(({ labels, value }) => value > 0 && ![reader, '~unknown'].includes(labels.reader as string));
  assert.deepEqual(others, [], 'nobody else read');
};

/**
 * One reader blocked the one thread of a victim: at least for as long as that slept, for a thread also sleeps a few times
 * for other reasons, in all some milliseconds; and for no longer than it waited, which the exact waits vouch for.
 */
export const assertBlocksOf = (
  t: TestContext,
  metrics: Metrics,
  { reader, file, victim }: Block,
  schedstat: WritersResult['schedstat'],
): void => {
  const blocked = total(metrics, 'mmaplock_reader_block_seconds_total', { reader, file, victim });
  const blocks = total(metrics, 'mmaplock_reader_blocks_total', { reader, file, victim });
  const unknown = total(metrics, 'mmaplock_reader_block_seconds_total', { reader: '~unknown', victim });
  const waited = total(metrics, 'mmaplock_process_wait_seconds_total', { process: victim, mode: 'write' });
  const [slept, delayed] = [schedstat.slept_ns / 1e9, schedstat.run_delay_ns / 1e9];
  t.diagnostic(JSON.stringify({ file, blocks, blocked, unknown, waited, slept, delayed }));
  assertConserved(metrics);
  assertNobodyElse(metrics, { reader, file, victim });
  if (file === 'smaps') {
    assertTimely(slept > 0.1, `the writer slept for ${slept} s only`);
    assert.ok(blocks > 0, 'it blocks');
  }
  assert.ok(
    blocked + unknown <= waited + 1e-6,
    `${blocked} s blocked and ${unknown} s by nobody known, of ${waited} s`,
  );
  assertTimely(blocked >= 0.95 * slept - 0.02, `${blocked} s blocked, ${slept} s slept`);
};
