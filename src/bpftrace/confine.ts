/**
 * How little a tracer is allowed. bpftrace up to 0.24 wants uid 0, and what runs as that gets at exec() all that its
 * bounding set holds (capabilities(7)): so that set is what is made small.
 */
import { readFileSync } from 'node:fs';

/**
 * Numbers of include/uapi/linux/capability.h: setpriv takes `cap_39`, also where its library is older than CAP_BPF.
 * With tracepoints on Linux 6.18, CAP_BPF and CAP_PERFMON do for bpftrace 0.23 and 0.27, and for 0.17 where it need not
 * look up types of the kernel; neither of the two does alone.
 */
const capabilities = {
  /** BPF_BTF_GET_FD_BY_ID, by which 0.17 finds the types of the kernel, and all of bpf() before Linux 5.8. */
  sysAdmin: 21,
  /** RLIMIT_MEMLOCK, which BPF maps count against before Linux 5.11. */
  sysResource: 24,
  /** Addresses in /proc/kallsyms, by which kernel stacks get their names. */
  syslog: 34,
  perfmon: 38,
  bpf: 39,
} as const;
/** Without it no bounding set can be made smaller (prctl(2), PR_CAPBSET_DROP). */
const setpcap = 8;

/** Beyond it kernels of Debian and Ubuntu want CAP_SYS_ADMIN for perf_event_open(); the kernel itself knows up to 2. */
const highestParanoia = 2;

export interface Situation {
  /** /proc/PID/status of this process. */
  readonly status: string;
  /** kernel.perf_event_paranoid; undefined where it cannot be read. */
  readonly paranoia: number | undefined;
  /** Whether bpftrace is to look up types of the kernel. */
  readonly kernelTypes: boolean;
}

const maskOf = (status: string, name: 'CapEff' | 'CapBnd'): bigint => {
  const digits = new RegExp(`^${name}:\\s*([0-9a-f]{1,16})$`, 'm').exec(status)?.[1];
  return digits === undefined ? 0n : BigInt(`0x${digits}`);
};

const has = (mask: bigint, capability: number): boolean => ((mask >> BigInt(capability)) & 1n) === 1n;

/**
 * Arguments of setpriv for what a tracer may do. Where this process may not make the set smaller, as under the unit of
 * systemd, which has made it small before, the tracer has what the daemon has.
 */
export const confinementFrom = ({ status, paranoia, kernelTypes }: Situation): readonly string[] => {
  const always = ['--no-new-privs', '--inh-caps=-all'];
  if (!has(maskOf(status, 'CapEff'), setpcap)) return always;
  const bounds = maskOf(status, 'CapBnd');
  const { sysAdmin, perfmon, bpf } = capabilities;
  const needsAdmin =
    kernelTypes || !has(bounds, bpf) || !has(bounds, perfmon) || (paranoia ?? Infinity) > highestParanoia;
  const kept = Object.values(capabilities).filter(
    (capability) => has(bounds, capability) && (capability !== sysAdmin || needsAdmin),
  );
  return [...always, `--bounding-set=${['-all', ...kept.map((number) => `+cap_${number}`)].join(',')}`];
};

const read = (file: string): string => {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
};

/** The arguments for a child of this process. */
export const confinement = (kernelTypes: boolean): readonly string[] => {
  const paranoia = read('/proc/sys/kernel/perf_event_paranoid').trim();
  return confinementFrom({
    status: read('/proc/self/status'),
    paranoia: /^-?\d+$/.test(paranoia) ? Number(paranoia) : undefined,
    kernelTypes,
  });
};
