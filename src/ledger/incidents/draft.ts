/** An incident that is still open, and what it takes to put more evidence to it. */
import type { OngoingWait, SeenProcess, Stall } from '../../records.js';
import type { LockPath, Operation, ProcFile } from '../../vocabulary.js';
import { unknown } from '../../vocabulary.js';
import { BlockedTime } from './blocked.js';
import { IncidentConvoy } from './convoy.js';
import {
  type Incident,
  type IncidentOngoing,
  type IncidentOperation,
  type Inspection,
  type LookedFor,
  lookedFors,
} from './incident.js';
import type { RecentBlocks } from './recent-blocks.js';
import type { RecentConvoys } from './recent-convoys.js';
import { IncidentShares } from './shares.js';
import { Timeline } from './timeline.js';

/** Ongoing waits, inspected readers and stacks that are kept, and frames of a stack. */
const ongoingLimit = 16;
const inspectedLimit = 16;
const stackLimit = 16;
const frameLimit = 64;

type Open = { -readonly [Member in keyof Incident]: Incident[Member] };

export interface DraftOptions {
  readonly id: string;
  readonly cause: Incident['cause'];
  readonly victim: SeenProcess;
  /** By the clock of the daemon. */
  readonly openedAt: number;
  readonly lockPath: (file: ProcFile) => LockPath | undefined;
  readonly lookedFor: () => LookedFor;
  readonly recentBlocks: RecentBlocks;
}

export class IncidentDraft {
  readonly incident: Open;
  /** Inspect mode was asked for. */
  inspectAsked = false;
  /** It is among the counts by file. */
  counted = false;
  readonly #shares: IncidentShares;
  readonly #convoy = new IncidentConvoy();
  readonly #blocked: BlockedTime;
  readonly #lookedFor: () => LookedFor;
  readonly #timeline = new Timeline();
  readonly #operations = new Map<Operation, { count: number; nanoseconds: number }>();
  /** Threads that still wait, and up to when their wait is in the timeline. */
  #shownUntil = new Map<number, number>();

  constructor({ id, cause, victim, openedAt, lockPath, lookedFor, recentBlocks }: DraftOptions) {
    this.#lookedFor = lookedFor;
    this.#shares = new IncidentShares(recentBlocks, lockPath);
    this.#blocked = new BlockedTime(Math.floor(openedAt));
    this.incident = {
      id,
      cause,
      openedAt,
      lastAt: openedAt,
      closedAt: undefined,
      victim,
      ...this.#shares.list(),
      operations: [],
      waits: { count: 0, nanoseconds: 0, longestNanoseconds: 0 },
      ongoing: [],
      blockedNanoseconds: 0,
      convoy: this.#convoy.sum,
      timeline: { stepMilliseconds: this.#timeline.stepMilliseconds, points: [] },
      evidence: 'none',
      lookedFor: lookedFor(),
      inspected: [],
      stacks: [],
      interrupted: false,
      identities: {},
    };
  }

  /** Whether this is its victim: the same pid; where one of the two has none, the same thread, or name and cgroup. */
  isOf(victim: SeenProcess): boolean {
    const own = this.incident.victim;
    if (own.pid !== undefined && victim.pid !== undefined) return own.pid === victim.pid;
    if (own.tid !== undefined && own.tid === victim.tid) return true;
    return own.name !== unknown && own.name === victim.name && own.cgroupId === victim.cgroupId;
  }

  addStall(stall: Stall): void {
    const { at, victim, operation, nanoseconds, convoy, blockedInWindow } = stall;
    const { incident } = this;
    const from = at - nanoseconds / 1e6;
    if (incident.victim.name === unknown || incident.victim.cgroupId === '0')
      incident.victim = { ...victim, pid: victim.pid ?? incident.victim.pid };
    incident.openedAt = Math.min(incident.openedAt, beginOf(stall));
    incident.lastAt = Math.max(incident.lastAt, at);
    incident.waits = {
      count: incident.waits.count + 1,
      nanoseconds: incident.waits.nanoseconds + nanoseconds,
      longestNanoseconds: Math.max(incident.waits.longestNanoseconds, nanoseconds),
    };
    this.#addOperation(operation, 1, nanoseconds);
    this.#blocked.addWait(at, nanoseconds);
    const beyond =
      stall.cause === 'share'
        ? this.#blocked.addWindow(at, blockedInWindow.windowNanoseconds, blockedInWindow.nanoseconds)
        : undefined;
    this.#shares.add(stall, beyond);
    this.#showShares();
    this.#convoy.addTold(convoy);
    incident.convoy = this.#convoy.sum;
    this.#show(victim.tid, from, at);
    if (victim.tid !== undefined) this.#shownUntil.delete(victim.tid);
    this.#timeline.addWait(at, convoy.count);
    incident.ongoing = incident.ongoing.filter(({ tid }) => tid !== victim.tid);
    this.#sumUp();
  }

  /** Waits of this victim that still go on at a tick, all of them; none where they ended. */
  setOngoing(waits: readonly OngoingWait[], at: number): void {
    const { incident } = this;
    if (waits.length === 0 && incident.ongoing.length === 0) return;
    const goingOn = waits.map(({ operation, seconds, tid }) => {
      const since = at - seconds * 1000;
      this.#addOperation(operation, 0, 0);
      this.#blocked.addWait(at, seconds * 1e9);
      this.#show(tid, since, at);
      incident.openedAt = Math.min(incident.openedAt, since);
      incident.lastAt = Math.max(incident.lastAt, at);
      return { tid, operation, since, nanoseconds: seconds * 1e9 };
    });
    incident.ongoing = goingOn.sort(longestFirst).slice(0, ongoingLimit);
    this.#shownUntil = new Map(
      waits.slice(0, ongoingLimit).map(({ tid }) => [tid, this.#shownUntil.get(tid) ?? at]),
    );
    this.#sumUp();
  }

  /** More may be known of its readers with the next ticks. */
  get waitsForTick(): boolean {
    return this.#shares.waiting;
  }

  /** A tick was heard: more is known of the readers of the windows before it. */
  tickShares(): void {
    if (!this.waitsForTick) return;
    this.#shares.ticked();
    this.#showShares();
  }

  /**
   * Takes what ticks up to a time told of the convoys of its victim, from its begin on. A tick in which it began counts
   * whole. Ticks know victims by name and cgroup.
   * @param alone no other process of that name and cgroup has an incident: else nobody knows whose convoys they were
   */
  addConvoys(recent: RecentConvoys, at: number, alone: boolean): void {
    const { victim, openedAt } = this.incident;
    if (victim.name === unknown || victim.cgroupId === '0') return;
    const seen = recent.take(victim, { from: openedAt, to: at });
    if (alone) this.#convoy.addSeen(seen);
    this.incident.convoy = this.#convoy.sum;
  }

  /** The tracer is gone: what still waits is not known any more. */
  interrupt(): void {
    this.#shares.settle();
    this.#showShares();
    this.incident.interrupted = true;
    this.incident.ongoing = [];
    this.#shownUntil.clear();
  }

  #showShares(): void {
    const { incident } = this;
    Object.assign(incident, this.#shares.list());
    if (incident.readers.length > 0 && incident.evidence === 'none') incident.evidence = 'windows';
  }

  #addOperation(operation: Operation, count: number, nanoseconds: number): void {
    const known = this.#operations.get(operation) ?? { count: 0, nanoseconds: 0 };
    known.count += count;
    known.nanoseconds += nanoseconds;
    this.#operations.set(operation, known);
  }

  /** Puts a wait to the timeline, but for what is there of it already. */
  #show(tid: number | undefined, from: number, to: number): void {
    const shown = tid === undefined ? undefined : this.#shownUntil.get(tid);
    this.#timeline.addBlocked(Math.max(from, shown ?? from), to);
    if (tid !== undefined) this.#shownUntil.set(tid, to);
  }

  #sumUp(): void {
    const [known, now] = [this.incident.lookedFor, this.#lookedFor()];
    this.incident.lookedFor = lookedFors.findLast((how) => how === known || how === now);
    this.incident.operations = Array.from(
      this.#operations,
      ([operation, amounts]): IncidentOperation => ({ operation, ...amounts }),
    ).sort(longestFirst);
    this.incident.blockedNanoseconds = Math.round(this.#blocked.nanoseconds);
    this.incident.timeline = {
      stepMilliseconds: this.#timeline.stepMilliseconds,
      points: this.#timeline.points(),
    };
  }
}

/** An incident with what inspect mode found; later findings go before those of an earlier time. */
export const withInspection = (
  incident: Incident,
  { readers = [], stacks = [] }: Inspection,
): Pick<Incident, 'inspected' | 'stacks' | 'evidence'> => ({
  inspected: [...readers, ...incident.inspected].sort(longestFirst).slice(0, inspectedLimit),
  stacks: [
    ...stacks.map(({ frames, count }) => ({ frames: frames.slice(0, frameLimit), count })),
    ...incident.stacks,
  ]
    .sort((a, b) => b.count - a.count)
    .slice(0, stackLimit),
  evidence: readers.length > 0 ? 'overlap' : incident.evidence,
});

/** When what a stall tells of began, by the clock of the daemon: its wait, or the time that was looked at. */
export const beginOf = ({ at, cause, nanoseconds, blockedInWindow }: Stall): number =>
  at - (cause === 'share' ? Math.max(nanoseconds, blockedInWindow.windowNanoseconds) : nanoseconds) / 1e6;

const longestFirst = (
  a: Pick<IncidentOngoing, 'nanoseconds'>,
  b: Pick<IncidentOngoing, 'nanoseconds'>,
): number => b.nanoseconds - a.nanoseconds;
