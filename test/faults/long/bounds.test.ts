/** The bounds of test/faults/bounds.test.ts with more names than a map has keys by default. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { killLeftovers } from '../../live/support/children.js';
import { startDaemon } from '../../live/support/daemon.js';
import { lacking } from '../../live/support/host.js';
import { manyReaders, manyWaiters } from '../support/bounded.js';

const skip = lacking('root', 'tracing', 'bpftrace');

after(killLeftovers);

for (const [what, load] of [
  ['processes that wait', manyWaiters],
  ['readers of smaps, which block', manyReaders],
] as const)
  test(`10,000 names of ${what}`, { skip }, async (t) => {
    const daemon = await startDaemon();
    await daemon.ready();
    await load(t, daemon, 10_000);
    assert.equal(await daemon.stop(), 0);
  });
