import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConstant } from '../../src/probes/constants.js';
import type { Constant } from '../../src/probes/fragment.js';
import { type FakeKernel, fakeKernel } from './fake.js';

const x86: FakeKernel = {
  members: {
    'mm_struct.mmap_lock': 184,
    'task_struct.thread_info.status': 16,
    'pt_regs.orig_ax': 120,
    'file.f_path.dentry': 0,
  },
  sizes: { pt_regs: 168, mm_struct: 1408 },
};

const offset = (of: string, optional = false): Constant => ({
  name: 'X',
  source: { from: 'offset', of, optional },
});
const size = (of: string, optional = false): Constant => ({
  name: 'X',
  source: { from: 'size', of, optional },
});
const host = (of: string): Constant => ({ name: 'X', source: { from: 'host', of } });

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

test('the facts of x86-64 are 0 on other machines', () => {
  const arm = fakeKernel({ ...x86, machine: 'aarch64' });
  assert.equal(resolveConstant(host('syscall_number'), arm), 0);
  assert.equal(resolveConstant(host('abi_status'), arm), 0);
  assert.equal(resolveConstant(host('abi_status'), fakeKernel(x86)), 16);
});

test('a host fact this version does not know is a reason, whatever its name', () => {
  for (const name of ['moon_phase', 'constructor', '__proto__'])
    assert.deepEqual(resolveConstant(host(name), fakeKernel(x86)), {
      code: 'unknown_host_fact',
      detail: `this version knows no host fact "${name}"`,
    });
});
