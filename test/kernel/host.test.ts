import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  countCpuList,
  hasKprobes,
  readFunctionTracing,
  readLockdown,
  readMachine,
  readPossibleCpus,
  readRelease,
  readUpstream,
} from '../../src/kernel/host.js';

const directory = mkdtempSync(join(tmpdir(), 'mmaplock-host-'));
after(() => rmSync(directory, { recursive: true }));

test('CPU lists are counted', () => {
  assert.equal(countCpuList('0\n'), 1);
  assert.equal(countCpuList('0-3\n'), 4);
  assert.equal(countCpuList('0-3,8,10-11'), 7);
  assert.equal(countCpuList('0-255'), 256);
  for (const text of ['', '\n', '3-0', 'a', '0-', '0,,1', '0-3 5'])
    assert.equal(countCpuList(text), undefined, text);
});

test('lockdown is the word in brackets', () => {
  const security = join(directory, 'kernel/security');
  mkdirSync(security, { recursive: true });
  assert.equal(readLockdown(directory), 'unknown');
  for (const [text, expected] of [
    ['[none] integrity confidentiality\n', 'none'],
    ['none [integrity] confidentiality\n', 'integrity'],
    ['none integrity [confidentiality]\n', 'confidentiality'],
    ['something else\n', 'unknown'],
  ] as const) {
    writeFileSync(join(security, 'lockdown'), text);
    assert.equal(readLockdown(directory), expected);
  }
});

test('the stable release is the one that is built, where a distribution keeps another in its name', () => {
  const proc = join(directory, 'upstream');
  mkdirSync(join(proc, 'sys/kernel'), { recursive: true });
  for (const [release, version, expected] of [
    ['5.10.0-35-cloud-amd64\n', '#1 SMP Debian 5.10.237-1 (2025-05-19)\n', [5, 10, 237]],
    ['5.15.0-91-generic\n', '#101-Ubuntu SMP Tue Nov 14 13:30:08 UTC 2023\n', [5, 15, 0]],
    ['5.10.234-225.910.amzn2.x86_64\n', '#1 SMP Fri Feb 14 16:52:40 UTC 2025\n', [5, 10, 234]],
    ['6.18.44-fc-v769\n', '#1 SMP PREEMPT_DYNAMIC @0\n', [6, 18, 44]],
    ['7.2-rc1\n', '', [7, 2, 0]],
  ] as const) {
    writeFileSync(join(proc, 'sys/kernel/osrelease'), release);
    writeFileSync(join(proc, 'sys/kernel/version'), version);
    assert.deepEqual(readUpstream(proc), expected);
  }
});

test('kprobes and function tracing are told from the files of tracefs', () => {
  const tracefs = join(directory, 'tracefs');
  mkdirSync(tracefs);
  assert.equal(hasKprobes(tracefs), false);
  assert.deepEqual(readFunctionTracing(tracefs), { list: 'absent', errno: undefined });
  writeFileSync(join(tracefs, 'kprobe_events'), '');
  writeFileSync(join(tracefs, 'available_filter_functions'), 'seq_read\n');
  assert.equal(hasKprobes(tracefs), true);
  assert.deepEqual(readFunctionTracing(tracefs), { list: 'readable', errno: undefined });
  rmSync(join(tracefs, 'available_filter_functions'));
  mkdirSync(join(tracefs, 'available_filter_functions'));
  assert.deepEqual(readFunctionTracing(tracefs), { list: 'refused', errno: 'EISDIR' });
});

test('this host agrees with uname and getconf', () => {
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { encoding: 'utf8' }).trim();
  assert.equal(readRelease(), run('uname', '-r'));
  assert.equal(readMachine(), run('uname', '-m'));
  // Possible CPUs include those that could still be plugged in.
  assert.ok(readPossibleCpus() >= Number(run('getconf', '_NPROCESSORS_CONF')));
});
