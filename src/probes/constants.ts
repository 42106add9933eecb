/** The numbers of this kernel that fragments need: BTF offsets and sizes, and the host facts no BTF holds. */
import type { KernelProfile } from '../kernel/profile.js';
import type { Constant } from './fragment.js';
import type { Reason } from './reasons.js';

/** Symbols whose presence decides a host fact. */
export const evidenceSymbols = ['asm_fred_entrypoint_user', '__asan_load8'] as const;

/**
 * Bytes from the lowest address of a task's kernel stack to its saved registers, x86-64. struct pt_regs lies at the
 * top (arch/x86/include/asm/processor.h, task_pt_regs), below TOP_OF_KERNEL_STACK_PADDING, which is 16 with
 * CONFIG_X86_FRED (arch/x86/include/asm/thread_info.h, since 6.9). THREAD_SIZE is 16 KiB, 32 KiB with KASAN
 * (arch/x86/include/asm/page_64_types.h).
 */
const savedRegisters = (profile: KernelProfile): number | undefined => {
  const size = profile.structSize('pt_regs');
  if (profile.machine !== 'x86_64' || size === undefined) return undefined;
  const threadSize = profile.hasSymbol('__asan_load8') ? 32768 : 16384;
  const padding = profile.hasSymbol('asm_fred_entrypoint_user') ? 16 : 0;
  return threadSize - padding - size;
};

/** Host facts by name. Each gives undefined where this machine is not known well enough: the fragment sees 0. */
const hostFacts: Readonly<Record<string, (profile: KernelProfile) => number | undefined>> = {
  /** Where, from the bottom of a task's kernel stack, the number of its system call is saved. */
  syscall_number: (profile) => {
    const registers = savedRegisters(profile);
    const member = profile.memberOffset('pt_regs', 'orig_ax');
    return registers === undefined || member === undefined ? undefined : registers + member;
  },
  /** Offset in task_struct of the flags that hold TS_COMPAT (2), x86: a 32-bit system call is under way. */
  abi_status: (profile) =>
    profile.machine === 'x86_64' ? profile.memberOffset('task_struct', 'thread_info.status') : undefined,
};

/** The value of one constant, or why there is none. */
export const resolveConstant = ({ source }: Constant, profile: KernelProfile): number | Reason => {
  if (source.from === 'host') {
    const fact = Object.hasOwn(hostFacts, source.of) ? hostFacts[source.of] : undefined;
    if (fact === undefined)
      return { code: 'unknown_host_fact', detail: `this version knows no host fact "${source.of}"` };
    return fact(profile) ?? 0;
  }
  const [struct = '', ...path] = source.of.split('.');
  const value =
    source.from === 'size' ? profile.structSize(struct) : profile.memberOffset(struct, path.join('.'));
  if (value !== undefined) return value;
  if (source.optional) return 0;
  if (profile.btf === undefined)
    return {
      code: 'btf_unavailable',
      detail: `${source.of} cannot be looked up: the kernel's BTF is not readable`,
    };
  return {
    code: 'kernel_lacks_member',
    detail:
      source.of === 'mm_struct.owner'
        ? 'the kernel was built without CONFIG_MEMCG, so an mm_struct has no owner by which an mmap_lock can be told'
        : `this kernel has no ${source.of}`,
  };
};
