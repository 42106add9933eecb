/** Events are lost again and again, and a daemon stands still: what is lost is told, and the counts are exact. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { killLeftovers } from '../../live/support/children.js';
import { startDaemon } from '../../live/support/daemon.js';
import { lacking } from '../../live/support/host.js';
import { runWorkload } from '../../live/support/workload.js';
import {
  assertExact,
  assertTold,
  lost,
  patient,
  pause,
  restarts,
  settledAfterPause,
  smallBuffer,
  startReaders,
  stopTracer,
} from '../support/lost-events.js';
import { missedReads } from '../support/misses.js';

const skip = lacking('root', 'tracing', 'bpftrace');

afterEach(killLeftovers);

test(
  'bpftrace stands still three times, its buffer is full: what is lost is told, and the counts are exact',
  {
    skip,
  },
  (t) => stopTracer(t, [7000, 8300, 9700]),
);

test('the daemon itself stands still for 10 s: nothing is lost, and nothing started again', {
  skip,
}, async (t) => {
  const daemon = await startDaemon();
  const before = await daemon.ready(60);
  const readers = await startReaders();
  const tracer = await daemon.tracerPid();
  await pause(daemon.pid, 10_000);
  const truths = await readers.stop();
  const after = await settledAfterPause(daemon);
  t.diagnostic(JSON.stringify({ lost: lost(after), truths, misses: missedReads(after) }));
  assert.equal(lost(after), 0, 'the pipe and the buffer hold what bpftrace prints in 10 s');
  assertExact(before, after, truths);
  assert.equal(await daemon.tracerPid(), tracer);
  assert.equal(restarts(after), 0);
  assert.equal(await daemon.stop(), 0);
});

test('the daemon stands still until the pipe is full, and bpftrace with it: told, and the counts are exact', {
  skip,
}, async (t) => {
  const daemon = await startDaemon({ args: patient, env: smallBuffer });
  const before = await daemon.ready(60);
  // Many names make long ticks: the pipe holds 64 KiB.
  const crowd = await runWorkload('spawner', ['--count', '300', '--distinct', '300', '--name', 'crowd-']);
  await crowd.done;
  const readers = await startReaders();
  await daemon.settled();
  await pause(daemon.pid, 15_000);
  const truths = await readers.stop();
  const after = await settledAfterPause(daemon);
  t.diagnostic(JSON.stringify({ lost: lost(after), truths, misses: missedReads(after) }));
  assertTold(daemon, after);
  assertExact(before, after, truths);
  assert.equal(restarts(after), 0);
  assert.equal(await daemon.stop(), 0);
});
