/**
 * An incident: a stall of one process over the threshold, kept with its evidence. Plain data, so that it can be written
 * as JSON and read again.
 */
import type { ConvoyWaits, Named, SeenProcess } from '../../records.js';
import type { LockPath, Operation, ProcFile } from '../../vocabulary.js';

/** Stands for the file in counts of incidents in which no reader was found. */
export const noFile = 'none';
export type IncidentFile = ProcFile | typeof noFile;

/**
 * How sure we are who it was: `windows` is an estimate by overlap with what readers did between their grant of the lock
 * and the end of their read(), `overlap` was measured on real holds by inspect mode, `none` blames nobody.
 */
export type Evidence = 'windows' | 'overlap' | 'none';

/**
 * How it was looked for readers: `windows`, by who takes the lock and when its read ends; `lock_word`, only by who had it
 * when a wait began; `nothing`, not at all. In this order each sees less than the one before it.
 */
export const lookedFors = ['windows', 'lock_word', 'nothing'] as const;
export type LookedFor = (typeof lookedFors)[number];

/** What is known of a cgroup: see src/identity/cgroup-path.ts. */
export interface Identity {
  readonly unit: string | undefined;
  readonly containerId: string | undefined;
  readonly podUid: string | undefined;
}

/** What one reader of one file had to do with it: all processes of one name in one cgroup. */
export interface IncidentReader extends Named {
  readonly file: ProcFile;
  /** The one that was seen last. */
  readonly pid: number | undefined;
  /** It is the victim itself, which read its own file. */
  readonly self: boolean;
  /**
   * Its share of the waits told one by one, which is thread-time, and of windows of many short waits, in which each
   * moment counts once.
   */
  readonly nanoseconds: number;
  /** Those it had a part in, those within windows as well. */
  readonly waits: number;
  /** -20 to 19, as it was seen last. */
  readonly nice: number | undefined;
  /**
   * How long of its share it could have run and had no CPU; undefined where this kernel does not tell. Windows tell
   * nothing of it.
   */
  readonly offCpuNanoseconds: number | undefined;
}

/** A file whose readers had a part in it. */
export interface IncidentFileShare {
  readonly file: ProcFile;
  /** How the kernel served it then; undefined where that cannot be told. */
  readonly lockPath: LockPath | undefined;
  readonly nanoseconds: number;
}

export interface IncidentOperation {
  readonly operation: Operation;
  readonly count: number;
  readonly nanoseconds: number;
}

/** A wait that was still going on at the last tick. */
export interface IncidentOngoing {
  readonly tid: number;
  readonly operation: Operation;
  /** When it began, by the clock of the daemon. */
  readonly since: number;
  readonly nanoseconds: number;
}

export interface TimelinePoint {
  /** The start of the step, by the clock of the daemon. */
  readonly at: number;
  /** Thread-time that writers waited in this step. */
  readonly blockedNanoseconds: number;
  /** Waits that ended in it, and the read waits that had queued behind them. */
  readonly waits: number;
  readonly convoyWaits: number;
}

/** A kernel stack of writers that were blocked. */
export interface KernelStack {
  readonly frames: readonly string[];
  readonly count: number;
}

/** A reader whose holds of the lock were seen, and how long they overlapped the waits. */
export interface InspectedReader extends SeenProcess {
  readonly file: ProcFile;
  readonly nanoseconds: number;
}

/** What inspect mode found. */
export interface Inspection {
  readonly readers?: readonly InspectedReader[];
  readonly stacks?: readonly KernelStack[];
}

export interface Incident {
  /**
   * Milliseconds by which the time of day was ahead of the clock of the daemon when it closed; 0 of an earlier daemon, whose
   * incidents have times of day. Undefined while it is open, and not written.
   */
  readonly ahead?: number | undefined;
  /** Sorts by the time of opening; never given twice, also not by a daemon that was started again. */
  readonly id: string;
  /** What opened it: one long wait, or many short ones that together took too much of the time. */
  readonly cause: 'wait' | 'share';
  /** When the first of its waits began, by the clock of the daemon. For `share`: when that time began. */
  readonly openedAt: number;
  /** When the last of its waits ended, or was still seen. */
  readonly lastAt: number;
  /** When it was closed; undefined while it is open. */
  readonly closedAt: number | undefined;
  /** `~unknown` where a wait still goes on and its process is gone or cannot be named. */
  readonly victim: SeenProcess;
  /** Most to blame first; bounded, the rest is in `others` (a reader that comes back counts again). */
  readonly readers: readonly IncidentReader[];
  readonly others: { readonly readers: number; readonly nanoseconds: number };
  /** Most time first; empty where no reader was found. */
  readonly files: readonly IncidentFileShare[];
  readonly operations: readonly IncidentOperation[];
  /**
   * Waits told one by one: thread-time, those still going on left out. Of a process, at most one long wait in 20 ms is
   * told, and of the short ones only the last of a window.
   */
  readonly waits: {
    readonly count: number;
    readonly nanoseconds: number;
    readonly longestNanoseconds: number;
  };
  /** Of these waits and of windows, the time that lies at no reader's door. */
  readonly unknownNanoseconds: number;
  readonly ongoing: readonly IncidentOngoing[];
  /** Wall time with a writer blocked, as far as it was seen; waits still going on count up to the last tick. */
  readonly blockedNanoseconds: number;
  /** Behind all waits of the victim, told or not; the longest queue is that behind one wait that was told. */
  readonly convoy: ConvoyWaits & { readonly longestQueue: number };
  readonly timeline: { readonly stepMilliseconds: number; readonly points: readonly TimelinePoint[] };
  readonly evidence: Evidence;
  /** The least of it while it lasted; undefined in those kept by a version that did not tell. */
  readonly lookedFor: LookedFor | undefined;
  readonly inspected: readonly InspectedReader[];
  readonly stacks: readonly KernelStack[];
  /** The tracer ended while it was open: something of it was not seen. */
  readonly interrupted: boolean;
  /** By cgroup id, as they were known when it was closed. */
  readonly identities: Readonly<Record<string, Identity>>;
}

/** What the incidents ask of the world. */
export type IncidentEffect =
  | { readonly kind: 'incident_opened'; readonly incident: Incident }
  | { readonly kind: 'incident_closed'; readonly incident: Incident }
  /** Look closer at this victim: inspect mode, for a short time. */
  | { readonly kind: 'inspect'; readonly incident: Incident };

/** The file whose readers had most to do with it; undefined where no reader was found. */
export const mainFile = ({ files }: Pick<Incident, 'files'>): ProcFile | undefined => files[0]?.file;

/**
 * What the shares of readers, with the unknown, are parts of, in nanoseconds: the waits told one by one, and what windows
 * of many short waits told beyond them.
 */
export const sharedNanoseconds = ({
  readers,
  others,
  unknownNanoseconds,
}: Pick<Incident, 'readers' | 'others' | 'unknownNanoseconds'>): number =>
  readers.reduce((sum, { nanoseconds }) => sum + nanoseconds, others.nanoseconds + unknownNanoseconds);

/** From the begin of its first wait to the end of its last, milliseconds. */
export const incidentMilliseconds = ({ openedAt, lastAt }: Pick<Incident, 'openedAt' | 'lastAt'>): number =>
  Math.max(0, lastAt - openedAt);
