/** The daemon stands still, and what its tracer told meanwhile is told by when it was, not by when it was read. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { killLeftovers } from '../live/support/children.js';
import { startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { runWorkload } from '../live/support/workload.js';
import { patient, pause } from './support/lost-events.js';

afterEach(killLeftovers);

interface Column {
  readonly at: string;
  readonly observed_seconds: number;
  readonly files: readonly { readonly file: string; readonly reads: number }[];
}

/** Two columns of five seconds lie within it wherever it begins. */
const stillMilliseconds = 16_000;

test('the daemon stands still: reads of that time are in its columns, and not all in the last one', {
  skip: lacking('root', 'tracing', 'bpftrace'),
}, async (t) => {
  const daemon = await startDaemon({ args: patient });
  await daemon.ready(60);
  const target = await runWorkload('writers', ['--vmas', '100', '--seconds', '600'], { gate: true });
  await target.ready;
  const args = ['maps', String(target.pid), '--name', 'rd-still', '--pause-us', '500', '--seconds', '600'];
  const reader = await runWorkload('proc-reader', args);
  await reader.ready;
  // A second tick, by which it is known how late one is.
  await daemon.settled();
  const from = Date.now();
  await pause(daemon.pid, stillMilliseconds);
  const to = Date.now();
  await daemon.settled();
  const { body } = await daemon.get<{ column_seconds: number; columns: readonly Column[] }>(
    '/api/v1/history',
  );
  const during = body.columns.filter(({ at }) => {
    const begin = Date.parse(at);
    return begin >= from && begin + body.column_seconds * 1000 <= to;
  });
  const told = during.map(({ observed_seconds, files }) => ({
    observed_seconds,
    reads: files.find(({ file }) => file === 'maps')?.reads ?? 0,
  }));
  t.diagnostic(JSON.stringify(told));
  assert.ok(told.length >= 2, `${told.length} columns`);
  for (const { observed_seconds, reads } of told) {
    assert.ok(Math.abs(observed_seconds - body.column_seconds) < 1.5, `${observed_seconds} s observed`);
    assert.ok(reads > 0, 'nothing was read in one of them');
  }
  await reader.stop();
  await target.stop();
  assert.equal(await daemon.stop(), 0);
});
