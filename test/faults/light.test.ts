/** What the daemon itself takes, as it is packaged: memory from its start on, and CPU time idle and in a storm. */
import assert from 'node:assert/strict';
import { after, afterEach, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { killLeftovers } from '../live/support/children.js';
import type { RunningDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';
import { runWorkload } from '../live/support/workload.js';
import { type MachineSpeed, watchMachineSpeed } from './support/machine-speed.js';
import { cpuSeconds, megabytes, node, removePackaged, startPackaged } from './support/packaged.js';

const skip = lacking('root', 'tracing', 'bpftrace');

/** The limits, of one core in percent and in MB. */
const limits = { idle: 0.5, storm: 2, megabytes: 110 };
/** V8 compiles what runs often in the first of these, and it is no longer idle work after that. */
const settleSeconds = 20;
const watchedSeconds = 30;
after(removePackaged);
afterEach(killLeftovers);

interface Look {
  /** Of one core. */
  readonly percent: number;
  /** Of the machine meanwhile: the limits are those of one on which it is 1. */
  readonly slowness: number;
}

/** Other work of the machine can only add to what is measured: a second and a third look are worth it where one is over. */
const looks = 3;

const assertWithin = async (limit: number, look: () => Promise<Look>): Promise<void> => {
  for (let left = looks; ; left -= 1) {
    const { percent, slowness } = await look();
    if (percent < limit * slowness) return;
    assert.ok(left > 1, `${percent.toFixed(2)} % of a core, ${limit} % times ${slowness.toFixed(2)} allowed`);
  }
};

/** What the daemon takes for some time; what bpftrace does is told beside it. */
const watch = async (
  context: TestContext,
  { pid, tracerPid }: RunningDaemon,
  machine: MachineSpeed,
  what: string,
): Promise<Look> => {
  const tracer = await tracerPid();
  machine.slowness();
  const [from, own, other] = [performance.now(), cpuSeconds(pid), cpuSeconds(tracer)];
  await sleep(watchedSeconds * 1000);
  const seconds = (performance.now() - from) / 1000;
  const percent = ((cpuSeconds(pid) - own) / seconds) * 100;
  const slowness = machine.slowness();
  context.diagnostic(
    `${what}: Node (${node().version}) ${percent.toFixed(2)} % of a core, ${megabytes(pid, 'VmRSS').toFixed(0)} MB ` +
      `resident (at most ${megabytes(pid, 'VmHWM').toFixed(0)} MB so far); bpftrace ` +
      `${(((cpuSeconds(tracer) - other) / seconds) * 100).toFixed(2)} %, ${megabytes(tracer, 'VmRSS').toFixed(0)} MB; the machine ` +
      `is ${slowness.toFixed(2)} times as slow as usual`,
  );
  return { percent, slowness };
};

const assertSmall = (pid: number, when: string): void => {
  const most = megabytes(pid, 'VmHWM');
  assert.ok(most < limits.megabytes, `${most.toFixed(1)} MB resident ${when}`);
};

test('as packaged it stays under 110 MB, 0.5 % of a core idle and 2 % in a storm', {
  skip,
}, async (context) => {
  const daemon = await startPackaged();
  await daemon.ready();
  assertSmall(daemon.pid, 'at its start');
  const machine = watchMachineSpeed();
  await sleep(settleSeconds * 1000);

  await assertWithin(limits.idle, () => watch(context, daemon, machine, 'idle'));

  const writers = await runWorkload('writers', ['--seconds', '180', '--threads', '2']);
  await writers.ready;
  const reader = await runWorkload('proc-reader', ['smaps', String(writers.pid), '--seconds', '180']);
  await sleep(5000);
  const before = (await daemon.metrics()).sum('mmaplock_waits_total')!;
  let watched = 0;
  await assertWithin(limits.storm, () => {
    watched += watchedSeconds;
    return watch(context, daemon, machine, 'in a storm');
  });
  const waits = (await daemon.settled()).sum('mmaplock_waits_total')! - before;
  assert.ok(waits > 100 * watched, `a storm of ${waits} waits in ${watched} s`);
  machine.stop();
  await reader.stop();
  await writers.stop();

  assertSmall(daemon.pid, 'after a storm');
  await daemon.stop();
});
