/** What `mmaplockd check` finds out. */
import type { Limit } from '../../probes/limits.js';
import type { LockPathEvidence } from '../../probes/lock-path/evidence.js';
import type { Observation } from '../../probes/plan.js';
import type { HostProblem, KernelFacts } from '../../survey/survey.js';
import type { Observable } from '../../vocabulary.js';
import type { Problem } from '../../watch/readiness.js';
import type { InspectMode } from '../inspect-mode.js';

/** What `check --json` prints; codes and members are stable. */
export interface CheckReport {
  readonly version: string;
  readonly verdict: 'full' | 'partial' | 'blind';
  readonly kernel: KernelFacts;
  readonly bpftrace:
    | { readonly path: string; readonly version: string; readonly works: true; readonly seconds: number }
    | { readonly works: false; readonly code: string; readonly message: string; readonly fix: string };
  /** Why the program that `run` would run does not start here, whatever is left out of it; null where it does. */
  readonly refused: Problem | null;
  /** What of all that follows is less than it seems. */
  readonly problems: readonly HostProblem[];
  readonly lock_paths: readonly LockPathEvidence[];
  readonly observables: readonly ({ readonly what: Observable } & Observation)[];
  readonly fragments: readonly {
    readonly fragment: string;
    readonly chosen: boolean;
    readonly summary?: string;
    readonly cost?: string;
    readonly reasons: readonly { readonly code: string; readonly detail: string }[];
  }[];
  readonly inspect: InspectMode;
  /** What the fragments chosen cannot see. */
  readonly limits: readonly Limit[];
  readonly other_daemon: string | null;
}
