/**
 * What src/bpftrace tells src/ledger: typed, with times of src/clock.ts, free of anything bpftrace or kernel-clock.
 * Counts and nanoseconds are cumulative since the tracer started; the ledger takes the deltas.
 */
import type { LockTakeRow, OwnSeen } from './own-records.js';
import type { Mode, Operation, ProcFile, RestartReason, UpdateLoss } from './vocabulary.js';

/** Waits ended so far in one mode and operation. */
export interface WaitRow {
  readonly mode: Mode;
  readonly operation: Operation;
  readonly count: number;
  readonly nanoseconds: number;
}

/** All processes of one name in one cgroup. */
export interface Named {
  /** Comm of the thread-group leader, escaped (see src/identity/comm.ts). */
  readonly name: string;
  /** cgroup v2 id, in decimal; `0` where unknown. */
  readonly cgroupId: string;
}

/** Of a row that the decoder made of several, for their keys mean the same. */
export interface Merged {
  /** How many they were; left out where it was one. */
  readonly rows?: number;
}

/** Waits ended so far of all processes with one name in one cgroup. */
export interface ProcessWaitRow extends Named, Merged {
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

/** A wait still going on at the tick: up to 256 are told, oldest first. */
export interface OngoingWait {
  readonly mode: Mode;
  readonly operation: Operation;
  /** It waits for the mmap_lock of another process. */
  readonly foreign: boolean;
  readonly pid: number;
  readonly tid: number;
  readonly seconds: number;
}

/** What readers did so far, as far as this host lets it be seen: what is not traced is 0. */
export interface ReadCounts {
  readonly opens: number;
  readonly reads: number;
  readonly retries: number;
  /** Times a reader that locks one VMA at a time gave up, and held mmap_lock for the rest of that read(). */
  readonly fallbacks: number;
  /** Times a reader had to wait for the lock of another process, and for how long. */
  readonly waits: number;
  readonly waitNanoseconds: number;
}

/** Reads so far of one proc file, by anyone. */
export interface ProcFileRow extends ReadCounts {
  readonly file: ProcFile;
}

/** Reads so far of one proc file by the processes of one name in one cgroup. */
export interface ReaderRow extends Named, Merged, ReadCounts {
  readonly file: ProcFile;
  /** The process of that name that read last, and whose file it was. */
  readonly lastPid: number | undefined;
  readonly lastTargetPid: number | undefined;
}

/** Blocks so far by readers of one file; undefined where no reader can be shown. */
export interface BlockRow {
  readonly file: ProcFile | undefined;
  /** Waits it had a part in: one wait counts once for each reader. */
  readonly count: number;
  /** Its share of those waits. Over all rows and the unblocked waits, these are the nanoseconds of all waits. */
  readonly nanoseconds: number;
}

/** How long the shares were: as {@link WaitDurations}. */
export interface BlockDurations {
  readonly file: ProcFile | undefined;
  readonly buckets: readonly { readonly floorMicroseconds: number; readonly count: number }[];
}

/** Blocks so far by readers of one name in one cgroup, of victims of one name in one cgroup. */
export interface ReaderBlockRow extends BlockRow, Merged {
  /** Undefined where no reader can be shown. */
  readonly reader: Named | undefined;
  readonly victim: Named;
}

/** Waits ended so far during which no reader of a proc file was seen to hold the lock. */
export interface UnblockedRow {
  readonly mode: Mode;
  readonly count: number;
  readonly nanoseconds: number;
}

/**
 * VMA waits ended so far: a writer that held an mmap_lock slept until the readers of one VMA let go of it. No waits
 * are among them.
 */
export interface VmaWaits {
  readonly count: number;
  readonly nanoseconds: number;
}

/** VMA waits ended so far of all processes with one name in one cgroup. */
export interface VictimVmaWaitRow extends Named, Merged, VmaWaits {}

/**
 * Convoys so far: read waits, page faults above all, that queued because a writer of the same process stood behind a
 * reader of a proc file. They are waits as well.
 */
export interface ConvoyWaits {
  readonly count: number;
  readonly nanoseconds: number;
}

/** Convoys so far of all processes with one name in one cgroup. */
export interface VictimConvoyRow extends Named, Merged, ConvoyWaits {}

/** Wall time so far in which at least one writer of a process stood behind a reader of this file. */
export interface WritersBlockedRow {
  readonly file: ProcFile;
  readonly nanoseconds: number;
}

/** The same of all processes with one name in one cgroup: each process counts for itself. */
export interface VictimBlockedRow extends Named {
  readonly nanoseconds: number;
}

/** A process as the tracer saw it. */
export interface SeenProcess extends Named {
  /** Undefined where the process was gone when it was looked at. */
  readonly pid: number | undefined;
  readonly tid: number | undefined;
}

/** A reader that had a part in one long wait. */
export interface StallReader extends SeenProcess {
  readonly file: ProcFile;
  /** Its share of the wait. Over all readers of the wait never more than the wait. */
  readonly nanoseconds: number;
  /** -20 to 19; undefined where the process was gone when it was looked at. */
  readonly nice: number | undefined;
  /**
   * How long it could have run and had no CPU meanwhile, at most its share: preempted or throttled while it held the
   * lock, or granted the lock and not yet running. Undefined where this kernel does not tell.
   */
  readonly offCpuNanoseconds: number | undefined;
}

/**
 * A stall told on its own when it ends: one write wait over the threshold (`wait`), or the last of many short ones
 * behind readers, that together took more than the threshold of wall time (`share`).
 */
export interface Stall {
  readonly kind: 'stall';
  /** When the wait ended, by the clock of the daemon. */
  readonly at: number;
  readonly cause: 'wait' | 'share';
  readonly victim: SeenProcess;
  readonly mode: Mode;
  readonly operation: Operation;
  /** Of this one wait. */
  readonly nanoseconds: number;
  /** Wall time with a writer of this process behind readers, in the window that ends here: nanoseconds, and of which. */
  readonly blockedInWindow: { readonly nanoseconds: number; readonly windowNanoseconds: number };
  readonly readers: readonly StallReader[];
  /** Read waits of the victim that queued behind this one, as far as they were seen. */
  readonly convoy: ConvoyWaits & { readonly longestQueue: number };
}

/** Where in the kernel writers were while readers blocked them, innermost function first. Only of inspect mode. */
export interface WriterStack {
  readonly frames: readonly string[];
  readonly count: number;
}

/** Holds of mmap_lock by readers of one proc file, from the grant to the release. Only of inspect mode. */
export interface HoldRow {
  readonly file: ProcFile;
  readonly count: number;
  readonly nanoseconds: number;
}

/** A tracer is up: its cumulative counts begin at zero. */
export interface TracerStarted {
  readonly kind: 'tracer_started';
  /** By the clock of the daemon. */
  readonly at: number;
}

/** All that one tick of the tracer said. A family that was empty is an empty list, or 0, never a guess. */
export interface Tick {
  readonly kind: 'tick';
  readonly at: number;
  readonly waits: readonly WaitRow[];
  readonly processes: readonly ProcessWaitRow[];
  readonly durations: readonly WaitDurations[];
  readonly ongoing: readonly OngoingWait[];
  readonly procFiles: readonly ProcFileRow[];
  readonly readers: readonly ReaderRow[];
  readonly blocks: readonly BlockRow[];
  readonly blockDurations: readonly BlockDurations[];
  readonly readerBlocks: readonly ReaderBlockRow[];
  readonly unblocked: readonly UnblockedRow[];
  readonly vmaWaits: VmaWaits;
  readonly victimVmaWaits: readonly VictimVmaWaitRow[];
  readonly convoys: ConvoyWaits;
  readonly victimConvoys: readonly VictimConvoyRow[];
  readonly writersBlocked: readonly WritersBlockedRow[];
  /** Told only where victims are watched. */
  readonly victimsBlocked: readonly VictimBlockedRow[];
  /** Stalls so far that were not told on their own, for others were at that moment. They are in all other counts. */
  readonly untoldStalls: number;
  readonly lockTakes: readonly LockTakeRow[];
  /** Of the start check alone. */
  readonly own: OwnSeen;
  readonly holds: readonly HoldRow[];
  readonly writerStacks: readonly WriterStack[];
  /** False where a line of it could not be understood: its counts are left for the next tick, which has them too. */
  readonly complete: boolean;
}

/** A process is marked as one that has a proc file open, and has shown no use for that for long: has it one open? */
export interface MarkAsked {
  readonly kind: 'mark_asked';
  readonly at: number;
  readonly pid: number;
}

/** Events that bpftrace could not hand over, or that could not be noted in a map. */
export interface EventsLost {
  readonly kind: 'events_lost';
  readonly at: number;
  readonly events: number;
  /** Why a map was not changed; undefined where the buffer of bpftrace was full. */
  readonly reason?: UpdateLoss;
  /** What the kernel returned. */
  readonly status?: number;
  /** That map, as in {@link MapOverflow}. */
  readonly map?: string;
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
  /** It ended in order and said all it had seen. */
  readonly handedOver: boolean;
  /** Until when that was, where it is earlier than `at`: its probes go before it is gone. */
  readonly seenUntil?: number;
}

export type TracerRecord =
  | TracerStarted
  | Tick
  | Stall
  | MarkAsked
  | EventsLost
  | MapOverflow
  | Undecodable
  | TracerStopped;
