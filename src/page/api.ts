/** What the page asks of the daemon, as far as it uses it. */
import type { LockPath } from '../vocabulary.js';

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

export interface ServedFile {
  readonly file: string;
  readonly path: LockPath | null;
}

export interface Observable {
  readonly what: string;
  readonly observed: boolean;
  readonly reason?: { readonly code: string; readonly detail: string };
}

export interface Status {
  readonly ready: boolean;
  readonly problems: readonly Problem[];
  readonly lock_paths: readonly ServedFile[];
  readonly observables: readonly Observable[];
  readonly tracer: {
    readonly phase: string;
    readonly lost_events_total: number;
    readonly decode_errors_total: number;
    readonly map_overflows: Readonly<Record<string, number>>;
  };
  readonly cost: {
    readonly probe_cost_ratio: number | null;
    readonly budget_ratio: number;
  };
}

export interface IncidentReader {
  readonly name: string;
  readonly pid: string | null;
  readonly unit: string | null;
  readonly file: string;
  readonly share_seconds: number;
}

export interface Incident {
  readonly id: string;
  readonly state: 'open' | 'closed';
  readonly sentence: string;
  readonly advice: readonly string[];
  readonly evidence: 'windows' | 'overlap' | 'none';
  readonly opened_at: string;
  readonly duration_seconds: number;
  readonly blocked_seconds: number;
  readonly victim: { readonly name: string };
  readonly file: string | null;
  readonly readers: readonly IncidentReader[];
  readonly convoy_waits_total: number;
}

/** What the stream tells of an incident that opens or closes. */
export interface IncidentEvent {
  readonly id: string;
  readonly state: 'open' | 'closed';
  readonly sentence: string;
  readonly opened_at: string;
  readonly victim: string;
  readonly reader: string | null;
  readonly file: string | null;
}

export interface IncidentDetail extends Incident {
  readonly timeline: {
    readonly step_seconds: number;
    readonly points: readonly {
      readonly at: string;
      readonly blocked_seconds: number;
      readonly waits_total: number;
      readonly convoy_waits_total: number;
    }[];
  };
  readonly kernel_stacks: readonly { readonly frames: readonly string[]; readonly count: number }[];
}

/** @throws Error in the words of the daemon where it refuses */
export const get = async <Body>(path: string): Promise<Body> => {
  const response = await fetch(path, { headers: { accept: 'application/json' } });
  if (response.ok) return (await response.json()) as Body;
  const problem = (await response.json().catch(() => ({}))) as { detail?: string; title?: string };
  throw new Error(problem.detail ?? problem.title ?? `the daemon answered ${response.status}`);
};
