/** What rules fragments out on this host as a whole. */
import type { KernelProfile } from '../kernel/profile.js';
import type { Reason } from './reasons.js';

/** Why nothing at all can be seen here, if so. */
export const refusedByHost = (profile: KernelProfile): Reason | undefined =>
  profile.lockdown === 'confidentiality'
    ? {
        code: 'kernel_lockdown',
        detail: 'the kernel is locked down (confidentiality): no BPF program may read its memory',
      }
    : undefined;

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
