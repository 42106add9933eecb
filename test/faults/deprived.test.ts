/** A host that takes something away from a daemon that runs: it says what, and goes on once it is back. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { killLeftovers } from '../live/support/children.js';
import { type RunningDaemon, startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';

after(killLeftovers);

describe('a daemon from which something is taken', { skip: lacking('root', 'tracing', 'bpftrace') }, () => {
  let daemon: RunningDaemon;
  before(async () => {
    // What it mounts and unmounts is of its own namespace.
    daemon = await startDaemon({ wrap: ['unshare', '--mount', '--propagation', 'private'] });
    await daemon.ready();
  });

  after(async () => {
    assert.equal(await daemon?.stop(), 0);
  });

  const inItsMounts = (...command: readonly string[]) =>
    execa('nsenter', ['--target', String(daemon.pid), '--mount', ...command], { reject: false });

  /** Kills the tracer, and waits for the next one to fail in this way. */
  const failsWith = async (code: string): Promise<string> => {
    process.kill(await daemon.tracerPid(), 'SIGKILL');
    let message = '';
    await daemon.until(
      code,
      (_, { body }) => {
        const problem = body.problems.find((one) => one.code === code);
        message = problem?.message ?? '';
        return problem !== undefined;
      },
      30,
    );
    return message;
  };

  test('tracefs', async () => {
    await inItsMounts('umount', '--lazy', '--all-targets', '/sys/kernel/debug/tracing');
    const { failed, stderr } = await inItsMounts('umount', '--lazy', '/sys/kernel/tracing');
    assert.ok(!failed, String(stderr));
    assert.match(await failsWith('tracefs_missing'), /not mounted/);
    await inItsMounts('mount', '-t', 'tracefs', 'nodev', '/sys/kernel/tracing');
    await daemon.ready(60);
  });

  test('open files: no fragment is blamed', async () => {
    const limit = (files: string) => execa('prlimit', ['--pid', String(daemon.pid), `--nofile=${files}`]);
    await limit('40:4096');
    assert.match(await failsWith('too_few_descriptors'), /Too many open files/);
    await limit('4096:4096');
    await daemon.ready(60);
    const refused = daemon.log.filter(({ msg }) => /refused a fragment/.test(msg ?? ''));
    assert.deepEqual(refused, []);
  });
});
