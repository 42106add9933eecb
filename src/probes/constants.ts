/** The numbers of this kernel that fragments need: from BTF, the symbol table, and the host facts neither holds. */
import { inInitialPidNamespace } from '../identity/pid-namespace.js';
import { ownPosition } from '../kernel/own-files.js';
import type { KernelProfile } from '../kernel/profile.js';
import { procFiles } from '../vocabulary.js';
import type { Findings } from './findings.js';
import type { Constant, OptionName } from './fragment/constants.js';
import { lockPathNumber, lockPathsOf, type ServedFile } from './lock-path/evidence.js';
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

/** What is known besides the kernel's profile. */
export interface Known {
  /** How this kernel serves the proc files; if left out, what its BTF and symbols show of that. */
  readonly lockPaths?: readonly ServedFile[] | undefined;
  /** What the operator decides; where left out, the number in the file stands. */
  readonly numbers?: Partial<Readonly<Record<OptionName, number>>> | undefined;
  /** What the daemon found out when it started. */
  readonly findings?: Findings | undefined;
}

/** Gives undefined where this machine is not known well enough: the fragment sees 0. */
type HostFact = (profile: KernelProfile, known: Known) => number | undefined;

/** A register of {@link savedRegister}, unless it was seen not to be there. */
const register =
  (name: string): HostFact =>
  (profile, { findings }) =>
    findings?.registers === 'wrong' ? undefined : savedRegister(profile, name);

/** Where, from the bottom of a task's kernel stack, registers are saved that say what it does. */
const registerFacts: Readonly<Record<string, HostFact>> = {
  /** The number of its system call. */
  syscall_number: register('orig_ax'),
  /** The first argument of its system call: for read() and its like the file descriptor. */
  syscall_fd: register('di'),
  /** Its second argument: for ioctl() the command. */
  ioctl_command: register('si'),
  /** Once it has ended, what it returns: set before sys_exit fires (do_syscall_64()). */
  syscall_result: register('ax'),
  /** Its fourth: for pread64() and preadv() the position, all of it on a 64-bit kernel. */
  syscall_position: register('r10'),
};

/** Host facts by name. */
const hostFacts: Readonly<Record<string, HostFact>> = {
  ...registerFacts,
  /** Offset in task_struct of the flags that hold TS_COMPAT (2), x86: a 32-bit system call is under way. */
  abi_status: (profile) =>
    profile.machine === 'x86_64' ? profile.memberOffset('task_struct', 'thread_info.status') : undefined,
  /** This process, as probes see it: unknown where it has another id in the initial namespace. */
  daemon_pid: () => (inInitialPidNamespace() ? process.pid : undefined),
  /** The position at which this process, and nobody else, calls pwrite64(). */
  own_position: () => ownPosition,
  /** `lock_path.FILE`: how this kernel serves that proc file, as a number of lock-paths.ts. */
  ...Object.fromEntries(
    procFiles.map((file): [string, HostFact] => [
      `lock_path.${file}`,
      (profile, { lockPaths }) => lockPathNumber(lockPaths ?? lockPathsOf(profile), file),
    ]),
  ),
};

/** Whether a constant says where a register is saved. */
export const isRegister = ({ source }: Constant): boolean =>
  source.from === 'host' && Object.hasOwn(registerFacts, source.of);

/** The value of one constant, or why there is none. */
export const resolveConstant = (
  { source }: Constant,
  profile: KernelProfile,
  known: Known = {},
): ConstantValue | Reason => {
  switch (source.from) {
    case 'option':
      return known.numbers?.[source.of] ?? source.number;
    case 'host': {
      const fact = Object.hasOwn(hostFacts, source.of) ? hostFacts[source.of] : undefined;
      return fact === undefined
        ? { code: 'unknown_host_fact', detail: `this version knows no host fact "${source.of}"` }
        : (fact(profile, known) ?? 0);
    }
    case 'address':
      return known.findings?.addresses.get(source.of) ?? address(source.of, source.optional, profile);
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

/** What the symbol table says. That addresses are hidden is no absence: a fragment that took 0 for it would look, and see nothing. */
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
