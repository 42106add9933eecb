/** What the routes may see of the daemon. They read; nothing here changes anything. */
import type { TracerState } from '../bpftrace/supervise.js';
import type { Config } from '../config/schema.js';
import type { CgroupIdentity } from '../identity/cgroup.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Exposition } from '../metrics/exposition.js';
import type { CostTotals } from '../metrics/tracer.js';
import type { ProbePlan } from '../probes/plan.js';
import type { Readiness } from '../readiness.js';

/** The kernel of this host, as far as people ask for it. */
export interface KernelFacts {
  readonly release: string;
  readonly machine: string;
  readonly possibleCpus: number;
  readonly lockdown: string;
  readonly kprobes: boolean;
  readonly functionTracing: string;
  readonly problems: readonly { readonly code: string; readonly message: string; readonly fix: string }[];
}

export interface DaemonView {
  readonly config: Config;
  readonly version: string;
  readonly startedAt: number;
  readonly kernel: KernelFacts;
  readonly ledger: Ledger;
  readonly plan: () => ProbePlan;
  readonly tracer: () => TracerState;
  readonly readiness: () => Readiness;
  readonly cost: () => CostTotals;
  readonly metrics: () => Promise<Exposition>;
  readonly cgroup: (id: string) => CgroupIdentity | undefined;
  readonly processName: (pid: number) => string | undefined;
  readonly now: () => number;
}
