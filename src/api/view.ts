/**
 * What the routes may see of the daemon. They read, listen to the stream, and may have inspect mode look for some
 * seconds; nothing here changes anything else.
 */
import type { TracerState } from '../bpftrace/process/tracer.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import type { CgroupIdentity } from '../identity/cgroup-path.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Exposition } from '../metrics/exposition.js';
import type { CostTotals } from '../metrics/tracer.js';
import type { LockPathEvidence } from '../probes/lock-path/evidence.js';
import type { ProbePlan } from '../probes/plan.js';
import type { KernelFacts } from '../survey/survey.js';
import type { BudgetView } from '../watch/cost-budget.js';
import type { Inspector } from '../watch/inspector.js';
import type { Readiness } from '../watch/readiness.js';
import type { StreamHub } from './stream/hub.js';

export interface DaemonView {
  readonly config: Config;
  readonly version: string;
  readonly startedAt: number;
  readonly kernel: KernelFacts;
  readonly ledger: Ledger;
  readonly plan: () => ProbePlan;
  readonly lockPaths: () => readonly LockPathEvidence[];
  readonly tracer: () => TracerState;
  readonly readiness: () => Readiness;
  readonly cost: () => CostTotals;
  readonly budget: () => BudgetView;
  readonly metrics: () => Promise<Exposition>;
  /** Who runs in a cgroup; where its id does not tell, name and process of who was seen in it may. */
  readonly cgroup: (
    id: string,
    process?: { readonly name: string; readonly pid?: number | undefined },
  ) => CgroupIdentity | undefined;
  readonly processName: (pid: number) => string | undefined;
  readonly stream: StreamHub;
  readonly inspector: Pick<Inspector, 'inspect' | 'running' | 'seconds'>;
  /** As of the clock of the daemon (src/clock.ts): all times in the ledger are of {@link Clock.now}. */
  readonly now: Clock['now'];
  readonly monotonic: Clock['monotonic'];
  readonly timeOfDay: Clock['timeOfDay'];
  readonly atTimeOfDay: Clock['atTimeOfDay'];
}
