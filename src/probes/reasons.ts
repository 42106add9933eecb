/** Why a fragment is not chosen, or an observable not observed. The codes are stable: scripts read them. */
export const reasonCodes = [
  'disabled_by_config',
  'switched_off',
  'shed_for_cost',
  'kind_not_allowed',
  'needs_fragment',
  'nothing_needs_it',
  'kernel_too_old',
  'preempt_rt',
  'kernel_lockdown',
  'own_pid_namespace',
  'registers_unproven',
  'reads_unproven',
  'kernel_lacks_tracepoint',
  'kernel_lacks_field',
  'kernel_lacks_member',
  'kernel_lacks_symbol',
  'too_dear',
  'kernel_lacks_kprobes',
  'kernel_lacks_function_tracing',
  'function_not_traceable',
  'symbol_ambiguous',
  'symbol_addresses_hidden',
  'tracefs_missing',
  'tracefs_unreadable',
  'btf_unavailable',
  'unknown_host_fact',
  'covered_by_other',
  'inspect_only',
  'start_only',
  'rejected_by_bpftrace',
  'fragment_malformed',
  'no_fragment',
  'not_on_this_machine',
  'nothing_to_observe',
] as const;
export type ReasonCode = (typeof reasonCodes)[number];

export interface Reason {
  readonly code: ReasonCode;
  readonly detail: string;
}
