/** What rules fragments out on this host as a whole, and what the daemon found out about them when it started. */
import type { KernelProfile } from '../kernel/profile.js';
import { isRegister, resolveConstant } from './constants.js';
import type { Findings } from './findings.js';
import type { Fragment } from './fragment/fragment.js';
import type { Reason } from './reasons.js';

/** Why nothing at all can be seen here, if so. */
export const refusedByHost = (profile: KernelProfile, findings: Findings | undefined): Reason | undefined => {
  if (profile.lockdown === 'confidentiality')
    return {
      code: 'kernel_lockdown',
      detail: 'the kernel is locked down (confidentiality): no BPF program may read its memory',
    };
  if (findings?.processIds === 'namespaced')
    return {
      code: 'own_pid_namespace',
      detail:
        'mmaplockd runs in a pid namespace of its own, and this bpftrace gives process ids of that namespace: all ' +
        'other processes of the host would be one',
    };
  return undefined;
};

export const registersUnproven: Reason = {
  code: 'registers_unproven',
  detail:
    "the daemon's own system calls were not found in the registers that this kernel saves: what a task does cannot be told",
};

/** Why what is told by registers cannot be had here. */
export const withoutRegisters = (profile: KernelProfile, findings: Findings | undefined): Reason =>
  findings?.registers === 'wrong'
    ? registersUnproven
    : { code: 'not_on_this_machine', detail: `this version cannot tell it on ${profile.machine}` };

/** Why this one would show nothing, or what is not so, as far as that is known. */
export const refusedAsBlind = (
  { name, constants, provides }: Fragment,
  profile: KernelProfile,
  findings: Findings | undefined,
): Reason | undefined => {
  const miscounted = findings?.miscounting.get(name);
  if (miscounted !== undefined)
    return { code: 'reads_unproven', detail: `${name} does not count reads: ${miscounted}` };
  // One that provides something only where a register is known can do without it.
  const blind = constants.some(
    (constant) =>
      isRegister(constant) &&
      !provides.some(({ when }) => when === constant.name) &&
      resolveConstant(constant, profile, { findings }) === 0,
  );
  return blind && profile.btf !== undefined ? withoutRegisters(profile, findings) : undefined;
};

/** Why no tracepoint can be looked at, if so. */
export const tracefsRefusal = ({ problems }: KernelProfile): Reason | undefined => {
  const problem = problems.find(({ code }) => code === 'tracefs_missing' || code === 'tracefs_unreadable');
  if (problem === undefined) return undefined;
  return problem.code === 'tracefs_missing'
    ? {
        code: 'tracefs_missing',
        detail: 'tracefs is not mounted: mount -t tracefs nodev /sys/kernel/tracing',
      }
    : { code: 'tracefs_unreadable', detail: problem.message };
};
