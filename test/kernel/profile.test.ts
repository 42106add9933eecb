import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type KernelQuestions, readKernelProfile } from '../../src/kernel/profile.js';
import { scanFiles, timesAsLong } from '../support/ratio.js';
import { assertTimely, upToThreeTimes } from '../support/timing.js';
import { BtfBuilder } from './btf-builder.js';

const directory = mkdtempSync(join(tmpdir(), 'mmaplock-profile-'));
after(() => rmSync(directory, { recursive: true }));

function write(path: string, content: string | Buffer): void {
  mkdirSync(join(directory, path, '..'), { recursive: true });
  writeFileSync(join(directory, path), content);
}
const roots = (name: string) => ({ proc: join(directory, name, 'proc'), sys: join(directory, name, 'sys') });

const asked: KernelQuestions = {
  symbols: ['present', 'twice', 'absent'],
  tracepoints: ['lock:sample', 'lock:absent'],
};
const format =
  'name: sample\nID: 7\nformat:\n\tfield:unsigned int flags;\toffset:16;\tsize:4;\tsigned:0;\n\nprint fmt: ""\n';

/** @param kind of the last type, where that is to be another than a function */
function smallBtf(kind = 12): Buffer {
  const btf = new BtfBuilder();
  const int = btf.int('int', 4);
  btf.struct('sample', 8, [['member', int, 32]]);
  btf.struct('cyclic', 8, [['', 3, 0]]);
  btf.type(kind, 'function', btf.type(13, '', 0, [btf.string('count'), int], { vlen: 1 }));
  return btf.build();
}

test('a host that has everything answers every question', async () => {
  write('full/sys/kernel/btf/vmlinux', smallBtf());
  write('full/sys/kernel/tracing/events/lock/sample/format', format);
  write('full/sys/kernel/tracing/kprobe_events', '');
  write('full/sys/kernel/tracing/available_filter_functions', 'function\n');
  write('full/sys/kernel/security/lockdown', '[none] integrity confidentiality\n');
  write('full/sys/devices/system/cpu/possible', '0-15\n');
  write(
    'full/proc/kallsyms',
    'ffffffff81000000 T present\nffffffff81000010 t twice\nffffffff81000020 t twice\n',
  );
  write('full/proc/sys/kernel/osrelease', '6.1.0-test\n');
  write('full/proc/sys/kernel/arch', 'riscv64\n');
  const profile = await readKernelProfile(asked, roots('full'));
  assert.deepEqual(profile.problems, []);
  assert.equal(profile.release, '6.1.0-test');
  assert.equal(profile.machine, 'riscv64');
  assert.equal(profile.possibleCpus, 16);
  assert.equal(profile.lockdown, 'none');
  assert.equal(profile.kprobes, true);
  assert.equal(profile.functionTracing.list, 'readable');
  assert.equal(profile.memberOffset('sample', 'member'), 4);
  assert.equal(profile.hasMember('sample', 'other'), false);
  assert.equal(profile.hasStruct('sample'), true);
  assert.equal(profile.structSize('sample'), 8);
  assert.equal(profile.hasFunction('function'), true);
  assert.deepEqual(profile.functionParameters('function'), [{ name: 'count', type: 'int' }]);
  assert.equal(profile.hasSymbol('present'), true);
  assert.equal(profile.symbolCount('twice'), 2);
  assert.equal(profile.symbolCount('absent'), 0);
  assert.equal(profile.tracepoint('lock:sample')?.id, 7);
  assert.deepEqual(
    profile.tracepoint('lock:sample')?.fields.map(({ name }) => name),
    ['flags'],
  );
  assert.equal(profile.tracepoint('lock:absent'), undefined);
});

test('a host that has nothing has a problem for each part, and answers all the same', async () => {
  const profile = await readKernelProfile(asked, roots('empty'));
  assert.deepEqual(profile.problems.map(({ code }) => code).sort(), [
    'btf_missing',
    'kallsyms_unreadable',
    'tracefs_missing',
  ]);
  assert.equal(profile.memberOffset('sample', 'member'), undefined);
  assert.equal(profile.hasFunction('function'), false);
  assert.equal(profile.hasSymbol('present'), false);
  assert.equal(profile.tracepoint('lock:sample'), undefined);
  assert.equal(profile.kprobes, false);
  assert.equal(profile.lockdown, 'unknown');
  assert.ok(profile.possibleCpus >= 1);
});

const confidential = 'none integrity [confidentiality]\n';

test('confidentiality is the one reason for what it takes away, with advice that helps', async () => {
  write('locked/sys/kernel/security/lockdown', confidential);
  // Where securityfs is not mounted, nor tracefs: what the kernel was told at its boot.
  write('told/proc/cmdline', 'quiet lockdown=confidentiality ro\n');
  for (const name of ['locked', 'told']) {
    const { lockdown, problems } = await readKernelProfile(asked, roots(name));
    assert.equal(lockdown, 'confidentiality', name);
    const [first] = problems;
    assert.equal(first?.code, 'kernel_lockdown', name);
    assert.match(first?.fix ?? '', /boot it with lockdown=integrity/, name);
    assert.ok(!problems.some(({ code }) => code.startsWith('tracefs_')), name);
  }
});

test('a kernel that can be looked at is not locked down, whatever it was told', async () => {
  write('ignored/proc/cmdline', 'lockdown=confidentiality\n');
  write('ignored/sys/kernel/tracing/events/lock/sample/format', format);
  const profile = await readKernelProfile(asked, roots('ignored'));
  assert.equal(profile.lockdown, 'unknown');
  assert.equal(profile.tracepoint('lock:sample')?.id, 7);
});

test('one damaged part leaves the others', async () => {
  write('damaged/sys/kernel/btf/vmlinux', smallBtf().subarray(0, 60));
  write('damaged/sys/kernel/tracing/events/lock/sample/format', format);
  write('damaged/proc/kallsyms', 'ffffffff81000000 T present\n');
  const profile = await readKernelProfile(asked, roots('damaged'));
  assert.deepEqual(
    profile.problems.map(({ code }) => code),
    ['btf_malformed'],
  );
  assert.equal(profile.btf, undefined);
  assert.equal(profile.hasSymbol('present'), true);
  assert.equal(profile.tracepoint('lock:sample')?.id, 7);
});

test('types of a kind that is not known are one problem, and those before them answer', async () => {
  write('later/sys/kernel/btf/vmlinux', smallBtf(20));
  const profile = await readKernelProfile(asked, roots('later'));
  assert.deepEqual(
    profile.problems.flatMap(({ code }) => (code.startsWith('btf') ? [code] : [])),
    ['btf_unknown_kind'],
  );
  assert.equal(profile.memberOffset('sample', 'member'), 4);
});

test('damage that only a question meets becomes one problem', async () => {
  write('cyclic/sys/kernel/btf/vmlinux', smallBtf());
  const profile = await readKernelProfile(asked, roots('cyclic'));
  const before = profile.problems.length;
  assert.equal(profile.memberOffset('cyclic', 'x'), undefined);
  assert.equal(profile.hasMember('cyclic', 'y'), false);
  assert.deepEqual(
    profile.problems.slice(before).map(({ code }) => code),
    ['btf_malformed'],
  );
  assert.equal(profile.memberOffset('sample', 'member'), 4);
});

test('a question that was not announced is a defect, not an absence', async () => {
  const profile = await readKernelProfile(asked, roots('full'));
  assert.throws(() => profile.hasSymbol('other'), /not asked for/);
  assert.throws(() => profile.tracepoint('lock:other'), /not asked for/);
});

const vmlinux = '/sys/kernel/btf/vmlinux';
const noBtf = existsSync(vmlinux) ? false : `${vmlinux} is absent`;
test('the profile of this host takes little more than to read its files', {
  skip: noBtf,
}, async (context) => {
  const live: KernelQuestions = {
    symbols: ['seq_read', 'm_start', 'vfs_read', 'no_such_symbol'],
    tracepoints: ['lock:contention_begin', 'syscalls:sys_exit_read', 'sched:sched_switch'],
  };
  const makeProfile = async (): Promise<void> => {
    const profile = await readKernelProfile(live);
    assert.ok((profile.memberOffset('mm_struct', 'mmap_lock') ?? 0) > 0);
    assert.equal(profile.hasFunction('seq_read'), true);
    assert.equal(profile.hasSymbol('seq_read'), true);
  };
  await upToThreeTimes(context, 'kernel profile', async () => {
    const { ratio, said } = await timesAsLong(makeProfile, () => scanFiles(vmlinux, '/proc/kallsyms'));
    context.diagnostic(said);
    assertTimely(ratio < 3, said);
  });
});
