/**
 * What src/bpftrace tells src/ledger: typed, with wall-clock times, free of anything bpftrace or kernel-clock.
 * Counts and nanoseconds are cumulative since the tracer started; the ledger takes the deltas.
 */
import type { Mode, Operation, RestartReason } from './vocabulary.js';

/** Waits ended so far in one mode and operation. */
export interface WaitRow {
  readonly mode: Mode;
  readonly operation: Operation;
  readonly count: number;
  readonly nanoseconds: number;
}

/** Waits ended so far of all processes with one name in one cgroup. */
export interface ProcessWaitRow {
  /** Comm of the thread-group leader, escaped (see src/identity/comm.ts). */
  readonly name: string;
  /** cgroup v2 id, in decimal; `0` where unknown. */
  readonly cgroupId: string;
  readonly mode: Mode;
  readonly count: number;
  readonly nanoseconds: number;
  /** The process of that name that waited last. */
  readonly lastPid: number | undefined;
}

/** How long waits took: `counts[i]` of them at least `floors[i]` and below `floors[i + 1]` microseconds. */
export interface WaitDurations {
  readonly mode: Mode;
  readonly buckets: readonly { readonly floorMicroseconds: number; readonly count: number }[];
}

/** A wait still going on at the tick. */
export interface OngoingWait {
  readonly mode: Mode;
  readonly operation: Operation;
  /** It waits for the mmap_lock of another process. */
  readonly foreign: boolean;
  readonly pid: number;
  readonly tid: number;
  readonly seconds: number;
}

/** A tracer is up: its cumulative counts begin at zero. */
export interface TracerStarted {
  readonly kind: 'tracer_started';
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** All that one tick of the tracer said. A family that was empty is an empty list, never a guess. */
export interface Tick {
  readonly kind: 'tick';
  readonly at: number;
  readonly waits: readonly WaitRow[];
  readonly processes: readonly ProcessWaitRow[];
  readonly durations: readonly WaitDurations[];
  readonly ongoing: readonly OngoingWait[];
  /** False where a line of it could not be understood: its counts are left for the next tick, which has them too. */
  readonly complete: boolean;
}

/** Events that bpftrace could not hand over. */
export interface EventsLost {
  readonly kind: 'events_lost';
  readonly at: number;
  readonly events: number;
}

/** An update was refused because a map was full. */
export interface MapOverflow {
  readonly kind: 'map_overflow';
  readonly at: number;
  /** Name without `@`; `unknown` where bpftrace does not say which. */
  readonly map: string;
  readonly updates: number;
}

/** A line that could not be understood; nothing else of its tick is lost. */
export interface Undecodable {
  readonly kind: 'undecodable';
  readonly at: number;
  readonly reason: string;
}

/** The tracer is gone; what happens until the next one starts is not seen. */
export interface TracerStopped {
  readonly kind: 'tracer_stopped';
  readonly at: number;
  readonly reason: RestartReason;
  /** It ended in order and said all it had seen: nothing up to `at` is missing. */
  readonly handedOver: boolean;
}

export type TracerRecord = TracerStarted | Tick | EventsLost | MapOverflow | Undecodable | TracerStopped;
