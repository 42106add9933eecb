/** Readers that are killed while they read. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { killLeftovers } from '../live/support/children.js';
import { lacking } from '../live/support/host.js';
import { counted, startKeeper } from '../live/support/kept.js';
import { runWorkload } from '../live/support/workload.js';

afterEach(killLeftovers);

test('200 readers of maps that are killed while they read have not retried', {
  skip: lacking('root', 'tracing', 'bpftrace'),
}, async (t) => {
  // It does nothing: nobody is in their way.
  const target = await runWorkload('writers', ['--vmas', '1000', '--seconds', '600'], { gate: true });
  await target.ready;
  const keeper = await startKeeper();
  const args = ['killed', String(target.pid), '--file', 'maps', '--count', '200'];
  await (await runWorkload('churn', args)).done;
  const kept = await keeper.stop();
  const [reads, retries] = [counted(kept, '@proc_reads', ['1']), counted(kept, '@proc_retries', ['1'])];
  t.diagnostic(JSON.stringify({ reads, retries }));
  assert.ok(reads >= 200, `${reads} reads`);
  assert.equal(retries, 0);
  await target.stop();
});
