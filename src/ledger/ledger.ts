/**
 * The ledger: what happened. Pure: no I/O, no clock, no timers; times come with the records. `apply` takes one
 * record and gives back what it asks of the world; only main carries that out.
 */
import type { Tick, TracerRecord } from '../records.js';
import { BlockedTimeLedger } from './blocked-time.js';
import { BlockLedger } from './blocks.js';
import { HistoryLedger, type HistoryOptions } from './history.js';
import type { IncidentEffect } from './incidents/incident.js';
import { IncidentLedger } from './incidents/incidents.js';
import type { IncidentOptions } from './incidents/options.js';
import { RecentBlocks } from './incidents/recent-blocks.js';
import { RecentConvoys } from './incidents/recent-convoys.js';
import { ReaderLedger } from './readers.js';
import type { NameOptions } from './slots/names.js';
import { TracerLedger } from './tracer.js';
import { VictimLedger } from './victims.js';
import { WaitLedger } from './waits.js';
import { WatchedLedger, type WatchedOptions } from './watched.js';

/** What the ledger asks for. */
export type Effect = { readonly kind: 'restart_tracer'; readonly reason: 'map_full' } | IncidentEffect;

/** A tracer with full maps is started again at most this often: each start is a gap of its own. */
const fullMapRestartMilliseconds = 600_000;

/**
 * It is started again after some ticks without waits, when the gap costs nothing: one such tick may be no more than a
 * pause of a host that has no CPU left. But no later than this.
 */
const quietTicks = 5;
const quietMilliseconds = 60_000;

export interface LedgerOptions {
  /** Slots are those of processes that wait, VMA waits as well; label and row limit are those of all the others, too. */
  readonly waits: NameOptions;
  readonly readerSlots?: number;
  readonly blockSlots?: number;
  /** Victims to be paged for. */
  readonly watched?: WatchedOptions;
  /** Whether the tracer that runs now attributes blocks. */
  readonly blocksObserved?: () => boolean;
  /** Those that can overflow. */
  readonly maps?: readonly string[];
  readonly incidents?: IncidentOptions;
  /** A quarter of an hour unless told otherwise. */
  readonly history?: HistoryOptions | undefined;
}

export class Ledger {
  readonly waits: WaitLedger;
  readonly readers: ReaderLedger;
  readonly blocks: BlockLedger;
  readonly blockedTime = new BlockedTimeLedger();
  readonly watched: WatchedLedger;
  readonly vmaWaits: VictimLedger;
  readonly convoys: VictimLedger;
  readonly incidents: IncidentLedger;
  readonly history: HistoryLedger;
  readonly tracer: TracerLedger;
  /** Time of the newest record, by the clock of the daemon. */
  asOf = 0;
  readonly #recentBlocks: RecentBlocks;
  readonly #recentConvoys = new RecentConvoys();
  readonly #blocksObserved: () => boolean;
  #fullSince: number | undefined;
  /** Ticks in a row without waits. */
  #quietTicks = 0;
  #restartAskedAt = Number.NEGATIVE_INFINITY;

  constructor(options: LedgerOptions) {
    const { waits, readerSlots = 50, blockSlots = 100, watched, blocksObserved, maps, incidents } = options;
    this.tracer = new TracerLedger(maps);
    this.watched = new WatchedLedger(watched ?? { names: [] }, waits.label);
    this.waits = new WaitLedger(waits);
    this.readers = new ReaderLedger({ ...waits, slots: readerSlots });
    this.#recentBlocks = new RecentBlocks((reader, file) => this.readers.list.lastPid(reader, file));
    this.history = new HistoryLedger(this, options.history);
    this.blocks = new BlockLedger({ ...waits, slots: blockSlots }, (row, count, nanoseconds, at) => {
      this.#recentBlocks.add(row, count, nanoseconds, at);
      this.history.blocked(row, count, nanoseconds);
    });
    this.vmaWaits = new VictimLedger(waits, (row, count, nanoseconds, at) =>
      this.waits.list.addVmaWaits(row, count, nanoseconds, at),
    );
    this.convoys = new VictimLedger(waits, (...added) => this.#recentConvoys.add(...added));
    this.incidents = new IncidentLedger(incidents, {
      blocks: this.#recentBlocks,
      convoys: this.#recentConvoys,
    });
    this.#blocksObserved = blocksObserved ?? (() => false);
  }

  apply(record: TracerRecord): Effect[] {
    this.asOf = Math.max(this.asOf, record.at);
    switch (record.kind) {
      case 'tracer_started':
        this.#fullSince = undefined;
        this.waits.restart();
        this.readers.restart();
        this.blocks.restart();
        this.#recentBlocks.restart();
        this.vmaWaits.restart();
        this.convoys.restart();
        this.blockedTime.restart();
        this.watched.restart();
        this.history.started(record.at);
        this.tracer.started(record.at);
        return [];
      case 'tick':
        this.tracer.ticked(record.at);
        return record.complete
          ? [...this.#mendFullMap(record.at, this.#count(record)), ...this.incidents.tick(record)]
          : [];
      case 'stall':
        return this.incidents.stall(record);
      case 'tracer_stopped':
        this.incidents.interrupt();
        this.waits.ongoing = [];
        this.watched.stopped();
        this.tracer.stopped(record.at, record.reason, record.handedOver, record.seenUntil);
        return [];
      case 'events_lost':
        this.tracer.lost(record.events, record.reason);
        return [];
      case 'mark_asked':
        return [];
      case 'undecodable':
        this.tracer.decodeErrors += 1;
        return [];
      case 'map_overflow':
        this.tracer.overflowed(record.map, record.updates);
        this.#fullSince ??= record.at;
        return [];
    }
  }

  /** Takes what a tick counted; gives how many waits it added. */
  #count(tick: Tick): number {
    const waits = this.waits.apply(tick);
    this.readers.apply(tick);
    this.blocks.apply(tick, this.#blocksObserved() ? waits : undefined);
    this.vmaWaits.apply(tick.vmaWaits, tick.victimVmaWaits, tick.at);
    this.convoys.apply(tick.convoys, tick.victimConvoys, tick.at);
    this.blockedTime.apply(tick.writersBlocked);
    this.watched.apply(tick);
    this.tracer.untold(tick.untoldStalls);
    this.#recentBlocks.ticked(tick.at);
    this.#recentConvoys.ticked(tick.at);
    this.history.ticked(tick.at);
    return waits.count;
  }

  #mendFullMap(at: number, waits: number): Effect[] {
    this.#quietTicks = waits > 0 ? 0 : this.#quietTicks + 1;
    if (this.#fullSince === undefined || at - this.#restartAskedAt < fullMapRestartMilliseconds) return [];
    if (this.#quietTicks < quietTicks && at - this.#fullSince < quietMilliseconds) return [];
    this.#restartAskedAt = at;
    return [{ kind: 'restart_tracer', reason: 'map_full' }];
  }
}
