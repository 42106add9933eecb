/** Who is killed has no lock, and has not looked for one: writers while they wait, readers while they read. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { killLeftovers } from '../live/support/children.js';
import { lacking } from '../live/support/host.js';
import { counted, nameParts, startKeeper } from '../live/support/kept.js';
import { runWorkload } from '../live/support/workload.js';

afterEach(killLeftovers);

/** Which part of what the thread that is left alone waits is laid at the door of a reader, which reads all the time. */
const shareOfReader = async (args: readonly string[]): Promise<number> => {
  const keeper = await startKeeper();
  const writers = await runWorkload('churn', ['writers', '--count', '200', ...args], { gate: true });
  await writers.ready;
  const reader = await runWorkload('proc-reader', ['smaps', String(writers.pid), '--seconds', '600']);
  await reader.ready;
  writers.release();
  await writers.done;
  await reader.stop();
  const kept = await keeper.stop();
  const name = nameParts('churn');
  return (
    counted(kept, '@reader_block_ns', [...nameParts('proc-reader'), '*', ...name]) /
    counted(kept, '@process_wait_ns', [...name, '*', '4'])
  );
};

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

test('a writer that is killed while it waits stops no clock of a reader', {
  skip: lacking('root', 'tracing', 'bpftrace'),
}, async (t) => {
  const spared = await shareOfReader(['--spare']);
  const killed = await shareOfReader([]);
  t.diagnostic(JSON.stringify({ spared, killed }));
  assert.ok(killed > spared - 0.05, `${killed} of the time, where nobody is killed ${spared}`);
});
