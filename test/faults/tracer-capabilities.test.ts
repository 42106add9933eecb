/** What the kernel says that a running tracer may do. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { afterEach, test } from 'node:test';
import { killLeftovers } from '../live/support/children.js';
import { startDaemon } from '../live/support/daemon.js';
import { lacking } from '../live/support/host.js';

const skip = lacking('root', 'tracing', 'bpftrace');

afterEach(killLeftovers);

/** sys_admin, sys_resource, syslog, perfmon, bpf (include/uapi/linux/capability.h). */
const most = (1n << 21n) | (1n << 24n) | (1n << 34n) | (1n << 38n) | (1n << 39n);
const setpcap = 1n << 8n;

const statusOf = async (pid: number | 'self'): Promise<(name: string) => bigint> => {
  const text = await readFile(`/proc/${pid}/status`, 'latin1');
  return (name) => BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(text)?.[1]}`);
};

test('a tracer has five capabilities at most, and can get no others', { skip }, async (t) => {
  const own = await statusOf('self');
  if ((own('CapEff') & setpcap) === 0n) return t.skip('without CAP_SETPCAP nobody can take any away');
  const daemon = await startDaemon();
  await daemon.ready();
  const tracer = await statusOf(await daemon.tracerPid());
  t.diagnostic(`CapEff ${tracer('CapEff').toString(16)}`);
  for (const set of ['CapEff', 'CapPrm', 'CapBnd', 'CapInh', 'CapAmb'])
    assert.equal(tracer(set) & ~most, 0n, `${set} ${tracer(set).toString(16)}`);
  assert.equal(tracer('NoNewPrivs'), 1n);
  assert.equal(await daemon.stop(), 0);
});
