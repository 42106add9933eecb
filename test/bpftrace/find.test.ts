import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { childEnvironment } from '../../src/bpftrace/environment.js';
import { findBpftrace } from '../../src/bpftrace/find.js';
import { fakeBpftrace, temporaryFolder } from './fake.js';

test('the configured path is used, and no other', async (context) => {
  const path = fakeBpftrace(context, 'echo "bpftrace v0.21.2"');
  const other = fakeBpftrace(context, 'echo "bpftrace v0.27.0"');
  assert.deepEqual(await findBpftrace({ path, env: { PATH: dirname(other) } }), { path, version: '0.21.2' });
  const missing = `${temporaryFolder(context)}/nowhere`;
  await assert.rejects(findBpftrace({ path: missing, env: { PATH: dirname(other) } }), {
    code: 'bpftrace_missing',
    field: 'bpftrace.path',
    message: `"${missing}" is not an executable file`,
  });
});

test('without a path, the first on PATH that can be executed', async (context) => {
  const unusable = fakeBpftrace(context, 'echo "bpftrace v0.18.0"');
  chmodSync(unusable, 0o644);
  const path = fakeBpftrace(context, 'echo "bpftrace v0.20.2"');
  const env = { PATH: `${dirname(unusable)}::${dirname(path)}:/usr/bin` };
  assert.deepEqual(await findBpftrace({ env }), { path, version: '0.20.2' });
});

test('a bare name is looked up, and when missing, the error says where', async (context) => {
  const folder = temporaryFolder(context);
  await assert.rejects(findBpftrace({ path: 'bpftrace-nosuch', env: { PATH: folder } }), {
    code: 'bpftrace_missing',
    message: `no bpftrace-nosuch in ${folder}, /usr/bin, /usr/sbin, /usr/local/bin`,
  });
});

test('before 0.17 it is refused by name; a build without a version passes', async (context) => {
  // Ubuntu 22.04
  const old = fakeBpftrace(context, 'echo "bpftrace v0.14.0"');
  await assert.rejects(findBpftrace({ path: old, env: {} }), {
    code: 'bpftrace_unsupported',
    message: `${old} is bpftrace 0.14.0, older than 0.17`,
  });
  for (const [said, version] of [
    ['bpftrace v0.17.0', '0.17.0'],
    ['bpftrace v0.24.1-rc1-dirty', '0.24.1'],
    ['bpftrace 1.0', '1.0'],
    ['bpftrace GIT-NOTFOUND', 'unknown'],
  ]) {
    const path = fakeBpftrace(context, `echo "${said}"`);
    assert.deepEqual(await findBpftrace({ path, env: {} }), { path, version });
  }
});

test('what is not bpftrace, or does not run, is said so with its own words', async (context) => {
  const other = fakeBpftrace(context, 'echo "echo 9.1"');
  await assert.rejects(findBpftrace({ path: other, env: {} }), {
    code: 'bpftrace_missing',
    message: /"echo 9.1"/,
  });
  const broken = fakeBpftrace(context, 'echo "cannot open shared object file" >&2; exit 127');
  await assert.rejects(findBpftrace({ path: broken, env: {} }), {
    code: 'bpftrace_missing',
    message: /cannot open shared object file/,
  });
});

test('a child of ours cannot tell systemd that we are ready', () => {
  assert.deepEqual(childEnvironment({ NOTIFY_SOCKET: '/run/systemd/notify', LANG: 'C' }), { LANG: 'C' });
});
