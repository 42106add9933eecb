/**
 * At whose door the waits of an incident lie. Readers' shares and what is unknown are always, to the nanosecond, the
 * waits told one by one and what windows of many short waits tell beyond them.
 *
 * A window is told of before the tick that tells of its last waits. Until then its readers are those of the ticks that
 * were heard, to be found anew with the next one, and waits told meanwhile are taken off it; only then it is settled.
 */
import type { SeenProcess, Stall } from '../records.js';
import type { LockPath, ProcFile } from '../vocabulary.js';
import type { Incident } from './incident.js';
import type { WindowTime } from './incident-blocked.js';
import { IncidentReaders, type ReaderPart } from './incident-readers.js';
import type { RecentBlocks } from './recent-blocks.js';
import type { TickSpan } from './recent-growth.js';

/** Windows that wait for their tick at most; of more, the oldest is settled with the ticks that were heard. */
const openLimit = 16;

interface OpenWindow extends TickSpan {
  readonly victim: SeenProcess;
  /** Nanoseconds of the wait that told of it, as far as its readers were not told. */
  readonly own: number;
  readonly beyond: WindowTime;
}

export class IncidentShares {
  readonly #recent: RecentBlocks;
  readonly #readers: IncidentReaders;
  #unknownNanoseconds = 0;
  #open: OpenWindow[] = [];

  constructor(recent: RecentBlocks, lockPath: (file: ProcFile) => LockPath | undefined) {
    this.#recent = recent;
    this.#readers = new IncidentReaders(lockPath);
  }

  /** Windows whose last tick was not heard yet: there is more to come. */
  get waiting(): boolean {
    return this.#open.length > 0;
  }

  /**
   * Takes a stall with what it told of its readers. Those of a window it did not tell are looked for.
   * @param beyond what its window tells beyond the waits that are known; undefined where it has none
   */
  add(stall: Stall, beyond: WindowTime | undefined): void {
    const { at, victim, readers, nanoseconds, blockedInWindow } = stall;
    this.#readers.add(readers, victim);
    this.#recent.told(stall);
    const own = restOf(nanoseconds, readers);
    if (beyond === undefined) {
      this.#unknownNanoseconds += own;
      return;
    }
    this.#open.push({ victim, from: at - blockedInWindow.windowNanoseconds / 1e6, to: at, own, beyond });
    if (this.#open.length > openLimit) this.#settle(this.#open.shift() as OpenWindow);
  }

  /** The tick that tells the rest of all windows so far was heard, or will never be. */
  settle(): void {
    for (const window of this.#open) this.#settle(window);
    this.#open = [];
  }

  /** Who it was, as far as it is known now. */
  list(): Pick<Incident, 'readers' | 'others' | 'files' | 'unknownNanoseconds'> {
    const readers = this.waiting ? this.#readers.copy() : this.#readers;
    let unknownNanoseconds = this.#unknownNanoseconds;
    for (const window of this.#open) {
      const nanoseconds = wallOf(window);
      const found = this.#recent.look({ ...window, nanoseconds });
      readers.add(found, window.victim);
      unknownNanoseconds += restOf(nanoseconds, found);
    }
    return { ...readers.list(), unknownNanoseconds };
  }

  #settle(window: OpenWindow): void {
    window.beyond.close();
    const nanoseconds = wallOf(window);
    const found = this.#recent.take({ ...window, nanoseconds });
    this.#readers.add(found, window.victim);
    this.#unknownNanoseconds += restOf(nanoseconds, found);
  }
}

const wallOf = ({ own, beyond }: OpenWindow): number => own + beyond.nanoseconds;

/** What of a time is no reader's; never less than nothing, for parts may be rounded. */
const restOf = (whole: number, readers: readonly Pick<ReaderPart, 'nanoseconds'>[]): number =>
  Math.max(
    0,
    readers.reduce((left, { nanoseconds }) => left - nanoseconds, whole),
  );
