/** The numbers of this kernel that fragments need: from BTF, the symbol table, and the host facts neither holds. */
import { inInitialPidNamespace } from '../identity/pid-namespace.js';
import type { KernelProfile } from '../kernel/profile.js';
import { procFiles } from '../vocabulary.js';
import type { Constant } from './fragment.js';
import type { OptionName } from './fragment-constants.js';
import { lockPathNumber, lockPathsOf, type ServedFile } from './lock-paths.js';
import type { Reason } from './reasons.js';

/** Symbols whose presence decides a host fact. */
export const evidenceSymbols = ['asm_fred_entrypoint_user', '__asan_load8'] as const;

/** An address can exceed what a Number holds exactly. */
export type ConstantValue = number | bigint;

/**
 * Bytes from the lowest address of a task's kernel stack to a register saved there at entry into the kernel, x86-64.
 * struct pt_regs lies at the top (arch/x86/include/asm/processor.h, task_pt_regs), below TOP_OF_KERNEL_STACK_PADDING,
 * which is 16 with CONFIG_X86_FRED (arch/x86/include/asm/thread_info.h, since 6.9). THREAD_SIZE is 16 KiB, 32 KiB
 * with KASAN (arch/x86/include/asm/page_64_types.h).
 */
const savedRegister = (profile: KernelProfile, register: string): number | undefined => {
  const size = profile.structSize('pt_regs');
  const member = profile.memberOffset('pt_regs', register);
  if (profile.machine !== 'x86_64' || size === undefined || member === undefined) return undefined;
  const threadSize = profile.hasSymbol('__asan_load8') ? 32768 : 16384;
  const padding = profile.hasSymbol('asm_fred_entrypoint_user') ? 16 : 0;
  return threadSize - padding - size + member;
};

/** Gives undefined where this machine is not known well enough: the fragment sees 0. */
type HostFact = (profile: KernelProfile, lockPaths: readonly ServedFile[] | undefined) => number | undefined;

/** Host facts by name. */
const hostFacts: Readonly<Record<string, HostFact>> = {
  /** Where, from the bottom of a task's kernel stack, the number of its system call is saved. */
  syscall_number: (profile) => savedRegister(profile, 'orig_ax'),
  /** Likewise the first argument of its system call: for read() and its like the file descriptor. */
  syscall_fd: (profile) => savedRegister(profile, 'di'),
  /** Likewise its second argument: for ioctl() the command. */
  ioctl_command: (profile) => savedRegister(profile, 'si'),
  /** Likewise, once it has ended, what it returns: set before sys_exit fires (do_syscall_64()). */
  syscall_result: (profile) => savedRegister(profile, 'ax'),
  /** Likewise its fourth: for preadv() and preadv2() the position, all of it on a 64-bit kernel. */
  syscall_position: (profile) => savedRegister(profile, 'r10'),
  /** Offset in task_struct of the flags that hold TS_COMPAT (2), x86: a 32-bit system call is under way. */
  abi_status: (profile) =>
    profile.machine === 'x86_64' ? profile.memberOffset('task_struct', 'thread_info.status') : undefined,
  /** This process, as probes see it: unknown where it has another id in the initial namespace. */
  daemon_pid: () => (inInitialPidNamespace() ? process.pid : undefined),
  /** `lock_path.FILE`: how this kernel serves that proc file, as a number of lock-paths.ts. */
  ...Object.fromEntries(
    procFiles.map((file): [string, HostFact] => [
      `lock_path.${file}`,
      (profile, lockPaths) => lockPathNumber(lockPaths ?? lockPathsOf(profile), file),
    ]),
  ),
};

/**
 * The value of one constant, or why there is none.
 * @param lockPaths how this kernel serves the proc files; if left out, what its BTF and symbols show of that
 * @param numbers what the operator decides; where left out, the number in the file stands
 */
export const resolveConstant = (
  { source }: Constant,
  profile: KernelProfile,
  lockPaths?: readonly ServedFile[],
  numbers: Partial<Readonly<Record<OptionName, number>>> = {},
): ConstantValue | Reason => {
  switch (source.from) {
    case 'option':
      return numbers[source.of] ?? source.number;
    case 'host': {
      const fact = Object.hasOwn(hostFacts, source.of) ? hostFacts[source.of] : undefined;
      return fact === undefined
        ? { code: 'unknown_host_fact', detail: `this version knows no host fact "${source.of}"` }
        : (fact(profile, lockPaths) ?? 0);
    }
    case 'address':
      return address(source.of, source.optional, profile);
    case 'size':
      return profile.structSize(source.of) ?? (source.optional ? 0 : lacksMember(source.of, profile));
    case 'offset':
      for (const path of source.of) {
        const value = memberOffset(path, profile);
        if (value !== undefined) return value;
      }
      return source.optional ? 0 : lacksMember(source.of.join(' or '), profile);
  }
};

const memberOffset = (path: string, profile: KernelProfile): number | undefined => {
  const dot = path.indexOf('.');
  return profile.memberOffset(path.slice(0, dot), path.slice(dot + 1));
};

const lacksMember = (what: string, profile: KernelProfile): Reason => {
  if (profile.btf === undefined)
    return {
      code: 'btf_unavailable',
      detail: `${what} cannot be looked up: the kernel's BTF is not readable`,
    };
  if (what.startsWith('rw_semaphore.'))
    return {
      code: 'preempt_rt',
      detail: `this is a PREEMPT_RT kernel: its rw_semaphores are made of other parts, without ${what}`,
    };
  return {
    code: 'kernel_lacks_member',
    detail:
      what === 'mm_struct.owner'
        ? 'the kernel was built without CONFIG_MEMCG, so an mm_struct has no owner by which an mmap_lock can be told'
        : `this kernel has no ${what}`,
  };
};

/** That addresses are hidden is no absence: a fragment that took 0 for it would look, and see nothing. */
const address = (name: string, optional: boolean, profile: KernelProfile): bigint | 0 | Reason => {
  if (profile.problems.some(({ code }) => code === 'kallsyms_unreadable'))
    return { code: 'symbol_addresses_hidden', detail: '/proc/kallsyms cannot be read' };
  const symbol = profile.symbol(name);
  if (symbol === undefined)
    return optional ? 0 : { code: 'kernel_lacks_symbol', detail: `this kernel has no symbol ${name}` };
  if (symbol.hidden)
    return {
      code: 'symbol_addresses_hidden',
      detail:
        'the kernel hides the addresses of its symbols: this takes kernel.kptr_restrict below 2, and CAP_SYSLOG',
    };
  if (symbol.addresses.length > 1)
    return { code: 'symbol_ambiguous', detail: `this kernel has several symbols named ${name}` };
  return symbol.addresses[0] ?? 0;
};
