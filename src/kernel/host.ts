import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { cpus, machine, release } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';

/** Kernel lockdown; `unknown` where securityfs is not mounted or the kernel has no lockdown module, and nothing shows it. */
export type Lockdown = 'none' | 'integrity' | 'confidentiality' | 'unknown';

/**
 * What the list of traceable functions says about attaching to function entry and exit.
 *
 * It is evidence, not proof: `readable` is the rule where fentry and kprobes work, but BPF trampolines need more
 * (CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS, and lockdown can refuse kprobes); `refused` comes with lockdown, under
 * which function probes may work all the same; `absent` means a kernel without function tracing. Only a trial
 * attachment decides.
 */
export interface FunctionTracing {
  readonly list: 'readable' | 'refused' | 'absent';
  /** The errno name where the list was refused. */
  readonly errno: string | undefined;
}

/**
 * The number of CPUs in a kernel CPU list such as `0-3,8,10-11`, undefined when it is not one
 * (Documentation/admin-guide/cputopology.rst).
 */
export function countCpuList(text: string): number | undefined {
  let count = 0;
  for (const range of text.trim().split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(range);
    if (match === null) return undefined;
    const size = Number(match[2] ?? match[1]) - Number(match[1]) + 1;
    if (size < 1) return undefined;
    count += size;
  }
  return count;
}

/** The number of possible CPUs, by which per-CPU maps are sized; the CPUs online where sysfs does not tell. */
export function readPossibleCpus(sys = '/sys'): number {
  const list = readOptional(join(sys, 'devices/system/cpu/possible'));
  return countCpuList(list ?? '') ?? cpus().length;
}

/** The word in brackets of /sys/kernel/security/lockdown (security/lockdown/lockdown.c, 5.4 and later). */
export function readLockdown(sys = '/sys'): Lockdown {
  const chosen = /\[(none|integrity|confidentiality)\]/.exec(
    readOptional(join(sys, 'kernel/security/lockdown')) ?? '',
  );
  return (chosen?.[1] as Lockdown | undefined) ?? 'unknown';
}

/** Whether the kernel was told at its boot to lock itself down: it does where it has the module. */
export const asksForLockdown = (proc = '/proc'): boolean =>
  /(?:^|\s)lockdown=confidentiality(?:\s|$)/.test(readOptional(join(proc, 'cmdline')) ?? '');

/** The kernel release, as `uname -r`. */
export const readRelease = (proc = '/proc'): string =>
  readOptional(join(proc, 'sys/kernel/osrelease'))?.trim() ?? release();

/**
 * The stable release this kernel is built from, as three numbers. Debian keeps 5.10.0 in its release for the sake of its
 * modules, and names 5.10.237 in its version (`uname -v`); the higher of the two counts.
 */
export const readUpstream = (proc = '/proc'): readonly [number, number, number] => {
  const numbers = (text: string): [number, number, number][] =>
    [...text.matchAll(/\b(\d+)\.(\d+)(?:\.(\d+))?\b/g)].map(([, a, b, c]) => [
      Number(a),
      Number(b),
      Number(c ?? 0),
    ]);
  const [major, minor, patch] = numbers(readRelease(proc))[0] ?? [0, 0, 0];
  const named = numbers(readOptional(join(proc, 'sys/kernel/version')) ?? '')
    .filter(([a, b]) => a === major && b === minor)
    .map(([, , c]) => c);
  return [major, minor, Math.max(patch, ...named)];
};

/** The machine, as `uname -m`; /proc/sys/kernel/arch (6.1) is not changed by setarch. */
export const readMachine = (proc = '/proc'): string =>
  readOptional(join(proc, 'sys/kernel/arch'))?.trim() ?? machine();

/** Whether kprobes can be defined: the file is there with CONFIG_KPROBE_EVENTS only. */
export const hasKprobes = (tracefs: string): boolean => existsSync(join(tracefs, 'kprobe_events'));

/** Evidence on function tracing; see FunctionTracing. */
export function readFunctionTracing(tracefs: string): FunctionTracing {
  try {
    const file = openSync(join(tracefs, 'available_filter_functions'), 'r');
    try {
      // One read, for some kernels refuse it only then; the whole list is megabytes.
      readSync(file, Buffer.alloc(64), 0, 64, null);
    } finally {
      closeSync(file);
    }
    return { list: 'readable', errno: undefined };
  } catch (error) {
    const errno = errnoOf(error);
    return errno === 'ENOENT' ? { list: 'absent', errno: undefined } : { list: 'refused', errno };
  }
}

function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
