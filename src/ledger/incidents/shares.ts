/**
 * At whose door the waits of an incident lie. Readers' shares and what is unknown are always, to the nanosecond, the
 * waits told one by one and what windows of many short waits tell beyond them.
 *
 * A window is told of before the tick that tells of its last waits, and a long wait of that tick may be told after it.
 * So a window is settled with the second tick. Until then its readers are those of the ticks that were heard, found anew
 * each time, and waits told meanwhile are taken off it: what it took for good, a long wait could not take back.
 */
import type { SeenProcess, Stall } from '../../records.js';
import type { LockPath, ProcFile } from '../../vocabulary.js';
import type { WindowTime } from './blocked.js';
import type { Incident } from './incident.js';
import { IncidentReaders, type ReaderPart } from './readers.js';
import type { RecentBlocks } from './recent-blocks.js';
import type { TickSpan } from './recent-growth.js';

/** Windows that wait for their ticks at most; of more, the oldest is settled with the ticks that were heard. */
const openLimit = 16;

interface OpenWindow extends TickSpan {
  readonly victim: SeenProcess;
  /** Nanoseconds of the wait that told of it, as far as its readers were not told. */
  readonly own: number;
  readonly beyond: WindowTime;
  /** A tick was heard since. */
  heard: boolean;
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

  /** Windows are not settled yet: there may be more to come. */
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
    const from = at - blockedInWindow.windowNanoseconds / 1e6;
    this.#open.push({ victim, from, to: at, own, beyond, heard: false });
    if (this.#open.length > openLimit) this.#settle(this.#open.shift() as OpenWindow);
  }

  /** A tick was heard: it tells the rest of all windows so far, and no late wait of the tick before it is to come. */
  ticked(): void {
    for (const window of this.#open) if (window.heard) this.#settle(window);
    this.#open = this.#open.filter(({ heard }) => !heard);
    for (const window of this.#open) window.heard = true;
  }

  /** No tick will tell more. */
  settle(): void {
    for (const window of this.#open) this.#settle(window);
    this.#open = [];
  }

  /** Who it was, as far as it is known now. */
  list(): Pick<Incident, 'readers' | 'others' | 'files' | 'unknownNanoseconds'> {
    const readers = this.waiting ? this.#readers.copy() : this.#readers;
    let unknownNanoseconds = this.#unknownNanoseconds;
    const windows = this.#open.map((window) => ({ ...window, nanoseconds: wallOf(window) }));
    for (const [index, found] of this.#recent.lookAll(windows).entries()) {
      const { victim, nanoseconds } = windows[index] as (typeof windows)[number];
      readers.add(found, victim);
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
