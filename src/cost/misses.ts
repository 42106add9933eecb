/** Which kernel counts the probe runs that it skipped because a BPF program ran on that CPU already. */

/** By how a probe attaches, the first release that does. */
const since: readonly (readonly [probe: RegExp, major: number, minor: number])[] = [
  // __bpf_prog_enter() of kernel/bpf/trampoline.c
  [/^(?:fentry|fexit|kfunc|kretfunc):/, 5, 12],
  // trace_call_bpf() of kernel/trace/bpf_trace.c, which skipped as well before, and counted nothing
  [/^(?:tracepoint|kprobe|kretprobe):/, 6, 7],
];

/**
 * Whether a 0 as the misses of a probe means that nothing was skipped. A kernel with later parts in it may
 * count though it is not told here; then a count over 0 shows it.
 * @param release as `uname -r`
 * @param probe with its kind, as in `tracepoint:lock:contention_begin`
 */
export const countsMisses = (release: string, probe: string): boolean => {
  const [, major = 0, minor = 0] = (/^(\d+)\.(\d+)/.exec(release) ?? []).map(Number);
  const [, firstMajor = Number.POSITIVE_INFINITY, firstMinor = 0] =
    since.find(([kind]) => kind.test(probe)) ?? [];
  return major > firstMajor || (major === firstMajor && minor >= firstMinor);
};
