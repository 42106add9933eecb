/** What decides on incidents: when one opens and closes, how many are kept, and how their processes are named. */
import type { Named } from '../../records.js';
import type { LockPath, ProcFile } from '../../vocabulary.js';
import type { Identity, LookedFor } from './incident.js';

/** Whether short waits took too much of the time is decided by the tracer. */
export interface IncidentOptions {
  /** A wait this long opens an incident. */
  readonly waitNanoseconds?: number;
  /** One closes after so long without a stall and without a long wait that still goes on. */
  readonly quietMilliseconds?: number;
  /** Inspect mode is asked for at most this often. */
  readonly inspectMilliseconds?: number;
  /** Incidents kept; the oldest closed one goes first. */
  readonly kept?: number;
  /** Incidents open at once; stalls of further victims are only counted. */
  readonly open?: number;
  readonly lockPath?: (file: ProcFile) => LockPath | undefined;
  /** How it is looked for readers now. */
  readonly lookedFor?: () => LookedFor;
  /** Milliseconds by which the time of day is ahead of the times of records now. */
  readonly ahead?: () => number;
  /** Names a process whose wait still goes on; undefined where it is gone. */
  readonly processName?: (pid: number) => Named | undefined;
  /** What is known of a cgroup; where its id does not tell, the process that was seen in it may. */
  readonly identify?: (
    cgroupId: string,
    process: { readonly name: string; readonly pid?: number | undefined },
  ) => Identity | undefined;
}

/** Where a daemon tells nothing else. */
export const defaultIncidentOptions: Required<IncidentOptions> = {
  waitNanoseconds: 50e6,
  quietMilliseconds: 10_000,
  inspectMilliseconds: 60_000,
  kept: 200,
  open: 50,
  lockPath: () => undefined,
  lookedFor: () => 'windows',
  ahead: () => 0,
  processName: () => undefined,
  identify: () => undefined,
};
