/** What `check` says of inspect mode. */
import type { Inspection } from '../probes/inspection.js';

/** Whether it can be switched on here; if not, why not, by a stable code. */
export type InspectMode =
  | { readonly available: true; readonly fragments: readonly string[] }
  | { readonly available: false; readonly code: string; readonly detail: string };

/** @param bpftrace whether there is one that works */
export const inspectModeOf = (
  { chosen, reason }: Inspection,
  bpftrace:
    | { readonly works: true }
    | { readonly works: false; readonly code: string; readonly message: string },
): InspectMode => {
  if (!bpftrace.works) return { available: false, code: bpftrace.code, detail: bpftrace.message };
  if (reason !== undefined) return { available: false, code: reason.code, detail: reason.detail };
  return { available: true, fragments: chosen.map(({ fragment }) => fragment.name) };
};

/** The same in one line. */
export const inspectModeLine = (mode: InspectMode): string =>
  `Inspect mode (a second tracer, for seconds): ${mode.available ? 'available, not tried' : `not available: ${mode.code}: ${mode.detail}`}`;
