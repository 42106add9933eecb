/** The memory of the daemon as it is packaged; test/faults/long measures its CPU time, too. */
import { after, test } from 'node:test';
import { killLeftovers } from '../live/support/children.js';
import { lacking } from '../live/support/host.js';
import { runWorkload } from '../live/support/workload.js';
import { assertSmall, megabytes, node, removePackaged, startPackaged } from './support/packaged.js';

after(removePackaged);
after(killLeftovers);

test('as packaged it stays under 110 MB, at its start and in a storm', {
  skip: lacking('root', 'tracing', 'bpftrace'),
}, async (context) => {
  const daemon = await startPackaged();
  await daemon.ready();
  assertSmall(daemon.pid, 'at its start');
  const writers = await runWorkload('writers', ['--seconds', '600', '--threads', '2']);
  await writers.ready;
  const reader = await runWorkload('proc-reader', ['smaps', String(writers.pid), '--seconds', '600']);
  await daemon.until('a storm', (now) => (now.sum('mmaplock_waits_total') ?? 0) > 1000);
  await daemon.settled();
  context.diagnostic(
    `Node (${node().version}) at most ${megabytes(daemon.pid, 'VmHWM').toFixed(0)} MB resident`,
  );
  assertSmall(daemon.pid, 'in a storm');
  await reader.stop();
  await writers.stop();
  await daemon.stop();
});
