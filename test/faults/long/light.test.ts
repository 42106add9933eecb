/** What the daemon itself takes, as it is packaged: memory from its start on, and CPU time idle and in a storm. */
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { killLeftovers } from '../../live/support/children.js';
import type { RunningDaemon } from '../../live/support/daemon.js';
import { lacking } from '../../live/support/host.js';
import { runWorkload } from '../../live/support/workload.js';
import { assertTimely, upToThreeTimes } from '../../support/timing.js';
import { type Reference, startReference } from '../support/light/reference.js';
import { assertSmall, megabytes, node, removePackaged, startPackaged } from '../support/packaged.js';

/** CPU time of the daemon, as a multiple of what the reference takes in the same span. */
const limits = { idle: 3.6, storm: 14 };
/** V8 compiles what runs often in the first of these, and it is no longer idle work after that. */
const settleSeconds = 20;
const watchedSeconds = 30;
after(removePackaged);
after(killLeftovers);

/** Fails where the daemon takes more for some time; what bpftrace does is told beside it. */
const assertLight = async (
  context: TestContext,
  { pid, tracerPid }: RunningDaemon,
  reference: Reference,
  what: keyof typeof limits,
): Promise<void> => {
  const tracer = await tracerPid();
  const taken = await reference.watch({ daemon: pid, tracer }, watchedSeconds);
  const times = taken.daemon / taken.reference;
  const told =
    `${what}: Node (${node().version}) ${taken.daemon.toFixed(2)} % of a core, ${times.toFixed(1)} times the ` +
    `${taken.reference.toFixed(3)} % of the reference`;
  context.diagnostic(
    `${told}, ${megabytes(pid, 'VmRSS').toFixed(0)} MB resident (at most ${megabytes(pid, 'VmHWM').toFixed(0)} MB so ` +
      `far); bpftrace ${taken.tracer.toFixed(2)} %, ${megabytes(tracer, 'VmRSS').toFixed(0)} MB`,
  );
  assertTimely(times < limits[what], `${told}, where ${limits[what]} times are allowed`);
};

test('as packaged it stays under 110 MB, and 3.6 times (idle) or 14 times (in a storm) what a small program takes', {
  skip: lacking('root', 'tracing', 'bpftrace'),
}, async (context) => {
  const daemon = await startPackaged();
  await daemon.ready();
  assertSmall(daemon.pid, 'at its start');
  const reference = startReference();
  await sleep(settleSeconds * 1000);

  await upToThreeTimes(context, 'light', () => assertLight(context, daemon, reference, 'idle'));

  const writers = await runWorkload('writers', ['--seconds', '600', '--threads', '2']);
  await writers.ready;
  const reader = await runWorkload('proc-reader', ['smaps', String(writers.pid), '--seconds', '600']);
  await sleep(5000);
  const before = (await daemon.metrics()).sum('mmaplock_waits_total')!;
  const from = performance.now();
  await upToThreeTimes(context, 'light', () => assertLight(context, daemon, reference, 'storm'));
  const seconds = (performance.now() - from) / 1000;
  const waits = (await daemon.settled()).sum('mmaplock_waits_total')! - before;
  assert.ok(waits > 100 * seconds, `a storm of ${waits} waits in ${seconds} s`);
  reference.stop();
  await reader.stop();
  await writers.stop();

  assertSmall(daemon.pid, 'after a storm');
  await daemon.stop();
});
