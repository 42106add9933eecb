import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MmaplockError } from '../../src/errors.js';
import { inInitialPidNamespace } from '../../src/identity/pid-namespace.js';
import { type ConstantValue, resolveConstant } from '../../src/probes/constants.js';
import type { Constant } from '../../src/probes/fragment/constants.js';
import { lockPathNumber, lockPathsOf } from '../../src/probes/lock-path/evidence.js';
import type { Reason } from '../../src/probes/reasons.js';
import { procFiles } from '../../src/vocabulary.js';
import { type FakeKernel, fakeKernel } from './fake.js';

const x86: FakeKernel = {
  members: {
    'mm_struct.mmap_lock': 184,
    'task_struct.thread_info.status': 16,
    'pt_regs.orig_ax': 120,
    'pt_regs.di': 112,
    'pt_regs.si': 104,
    'file.f_path.dentry': 0,
  },
  sizes: { pt_regs: 168, mm_struct: 1408 },
};

const offset = (of: string, optional = false): Constant => ({
  name: 'X',
  source: { from: 'offset', of: of.split('|'), optional },
});
const size = (of: string, optional = false): Constant => ({
  name: 'X',
  source: { from: 'size', of, optional },
});
const host = (of: string): Constant => ({ name: 'X', source: { from: 'host', of } });
const address = (of: string, optional = false): Constant => ({
  name: 'X',
  source: { from: 'address', of, optional },
});

const codeOf = (value: ConstantValue | Reason): string | undefined =>
  typeof value === 'object' ? value.code : undefined;

test('offsets follow the path of members, and an offset of 0 is an offset', () => {
  assert.equal(resolveConstant(offset('mm_struct.mmap_lock'), fakeKernel(x86)), 184);
  assert.equal(resolveConstant(offset('task_struct.thread_info.status'), fakeKernel(x86)), 16);
  assert.equal(resolveConstant(offset('file.f_path.dentry'), fakeKernel(x86)), 0);
  assert.equal(resolveConstant(size('mm_struct'), fakeKernel(x86)), 1408);
});

test('what this kernel has not is named, or 0 where the fragment can do without', () => {
  assert.deepEqual(resolveConstant(offset('mm_struct.mm_wr_seq'), fakeKernel(x86)), {
    code: 'kernel_lacks_member',
    detail: 'this kernel has no mm_struct.mm_wr_seq',
  });
  assert.deepEqual(resolveConstant(size('vm_fault'), fakeKernel(x86)), {
    code: 'kernel_lacks_member',
    detail: 'this kernel has no vm_fault',
  });
  assert.equal(resolveConstant(offset('mm_struct.mm_wr_seq', true), fakeKernel(x86)), 0);
  assert.equal(resolveConstant(size('vm_fault', true), fakeKernel(x86)), 0);
});

test('of several places where a member may be, the first that this kernel has', () => {
  const places = offset('proc_maps_private.mm|proc_maps_private.lock_ctx.mm');
  const kernel = (members: FakeKernel['members']) => fakeKernel(members === undefined ? {} : { members });
  const older = { 'proc_maps_private.mm': 8 };
  const newer = { 'proc_maps_private.lock_ctx.mm': 16 };
  assert.equal(resolveConstant(places, kernel(older)), 8);
  assert.equal(resolveConstant(places, kernel(newer)), 16);
  assert.equal(resolveConstant(places, kernel({ ...newer, ...older })), 8);
  assert.deepEqual(resolveConstant(places, kernel({})), {
    code: 'kernel_lacks_member',
    detail: 'this kernel has no proc_maps_private.mm or proc_maps_private.lock_ctx.mm',
  });
  assert.equal(resolveConstant(offset('a.b|c.d', true), kernel({})), 0);
});

test('an address keeps every bit', () => {
  const kernel = fakeKernel({
    symbols: { pid_maps_open: 1, last: 1 },
    addresses: { pid_maps_open: 0xffffffff814a6f31n, last: 2n ** 64n - 1n },
  });
  assert.equal(resolveConstant(address('pid_maps_open'), kernel), 0xffffffff814a6f31n);
  assert.equal(resolveConstant(address('last'), kernel), 18446744073709551615n);
});

test('an address that this kernel has not is a reason, or 0 where the fragment can do without', () => {
  assert.deepEqual(resolveConstant(address('pid_numa_maps_open'), fakeKernel()), {
    code: 'kernel_lacks_symbol',
    detail: 'this kernel has no symbol pid_numa_maps_open',
  });
  assert.equal(resolveConstant(address('pid_numa_maps_open', true), fakeKernel()), 0);
});

test('an address that is hidden, ambiguous or unreadable is never taken for absent', () => {
  const hidden = fakeKernel({ symbols: { f: 1 } });
  const several = fakeKernel({ symbols: { f: 2 }, addresses: { f: 4096n } });
  const unreadable = fakeKernel({ problems: [new MmaplockError('kallsyms_unreadable', 'no')] });
  for (const optional of [false, true]) {
    assert.equal(codeOf(resolveConstant(address('f', optional), hidden)), 'symbol_addresses_hidden');
    assert.equal(codeOf(resolveConstant(address('f', optional), several)), 'symbol_ambiguous');
    assert.equal(codeOf(resolveConstant(address('f', optional), unreadable)), 'symbol_addresses_hidden');
  }
});

test('an mm without owner says which option of the kernel is missing', () => {
  const reason = resolveConstant(offset('mm_struct.owner'), fakeKernel(x86));
  assert.ok(typeof reason === 'object');
  assert.equal(reason.code, 'kernel_lacks_member');
  assert.match(reason.detail, /CONFIG_MEMCG/);
});

test('without BTF it is the BTF that is missing, not the member', () => {
  const blind = fakeKernel({ ...x86, btf: false });
  const reason = resolveConstant(offset('mm_struct.mmap_lock'), blind);
  assert.ok(typeof reason === 'object');
  assert.equal(reason.code, 'btf_unavailable');
  assert.equal(resolveConstant(offset('mm_struct.mmap_lock', true), blind), 0);
  assert.equal(resolveConstant(host('syscall_number'), blind), 0);
});

// prototype on 6.18: the register block lies at stack + 16384 - 168, orig_ax 120 bytes into it
test('the system call number lies at the top of the kernel stack, below what FRED and KASAN add', () => {
  const at = (symbols: Readonly<Record<string, number>>) =>
    resolveConstant(host('syscall_number'), fakeKernel({ ...x86, symbols }));
  assert.equal(at({}), 16384 - 168 + 120);
  assert.equal(at({ asm_fred_entrypoint_user: 1 }), 16384 - 16 - 168 + 120);
  assert.equal(at({ __asan_load8: 1 }), 32768 - 168 + 120);
  assert.equal(at({ asm_fred_entrypoint_user: 1, __asan_load8: 1 }), 32768 - 16 - 168 + 120);
});

test('the first two arguments of a system call lie in their registers there', () => {
  assert.equal(resolveConstant(host('syscall_fd'), fakeKernel(x86)), 16384 - 168 + 112);
  assert.equal(resolveConstant(host('ioctl_command'), fakeKernel(x86)), 16384 - 168 + 104);
  const { 'pt_regs.di': _, 'pt_regs.si': __, ...members } = x86.members ?? {};
  assert.equal(resolveConstant(host('syscall_fd'), fakeKernel({ ...x86, members })), 0);
  assert.equal(resolveConstant(host('ioctl_command'), fakeKernel({ ...x86, members })), 0);
});

test('the daemon is this process, where probes know it by the same id', () => {
  assert.equal(resolveConstant(host('daemon_pid'), fakeKernel()), inInitialPidNamespace() ? process.pid : 0);
});

test('the lock path of each proc file is a host fact, 0 where the kernel does not serve it', () => {
  const kernel = fakeKernel({ symbols: { smaps_rollup_open: 1 } });
  assert.equal(resolveConstant(host('lock_path.smaps_rollup'), kernel), 1);
  assert.equal(resolveConstant(host('lock_path.maps'), kernel), 0);
  for (const file of procFiles)
    assert.equal(
      resolveConstant(host(`lock_path.${file}`), kernel),
      lockPathNumber(lockPathsOf(kernel), file),
      file,
    );
  assert.equal(codeOf(resolveConstant(host('lock_path.cmdline'), kernel)), 'unknown_host_fact');
});

test('the facts of x86-64 are 0 on other machines', () => {
  const arm = fakeKernel({ ...x86, machine: 'aarch64' });
  assert.equal(resolveConstant(host('syscall_number'), arm), 0);
  assert.equal(resolveConstant(host('abi_status'), arm), 0);
  assert.equal(resolveConstant(host('syscall_fd'), arm), 0);
  assert.equal(resolveConstant(host('ioctl_command'), arm), 0);
  assert.equal(resolveConstant(host('abi_status'), fakeKernel(x86)), 16);
});

test('a host fact this version does not know is a reason, whatever its name', () => {
  for (const name of ['moon_phase', 'constructor', '__proto__'])
    assert.deepEqual(resolveConstant(host(name), fakeKernel(x86)), {
      code: 'unknown_host_fact',
      detail: `this version knows no host fact "${name}"`,
    });
});
