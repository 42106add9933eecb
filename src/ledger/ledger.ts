/**
 * The ledger: what happened. Pure: no I/O, no clock, no timers; times come with the records. `apply` takes one
 * record and gives back what it asks of the world; only main carries that out.
 */
import type { TracerRecord } from '../records.js';
import { TracerLedger } from './tracer.js';
import { WaitLedger, type WaitOptions } from './waits.js';

/** What the ledger asks for. */
export type Effect = { readonly kind: 'restart_tracer'; readonly reason: 'map_full' };

/** A tracer with full maps is started again at most this often: each start is a gap of its own. */
const fullMapRestartMilliseconds = 600_000;

/** It is started again in a tick without waits, when the gap costs nothing, but no later than this. */
const quietMilliseconds = 60_000;

export class Ledger {
  readonly waits: WaitLedger;
  readonly tracer: TracerLedger;
  /** Time of the newest record, milliseconds since the epoch. */
  asOf = 0;
  #fullSince: number | undefined;
  #restartAskedAt = Number.NEGATIVE_INFINITY;

  constructor(options: { readonly waits: WaitOptions; readonly maps?: readonly string[] }) {
    this.tracer = new TracerLedger(options.maps);
    this.waits = new WaitLedger(options.waits);
  }

  apply(record: TracerRecord): Effect[] {
    this.asOf = Math.max(this.asOf, record.at);
    switch (record.kind) {
      case 'tracer_started':
        this.#fullSince = undefined;
        this.waits.restart();
        this.tracer.started(record.at);
        return [];
      case 'tick':
        this.tracer.ticked(record.at);
        return record.complete ? this.#mendFullMap(record.at, this.waits.apply(record)) : [];
      case 'tracer_stopped':
        this.waits.ongoing = [];
        this.tracer.stopped(record.at, record.reason, record.handedOver);
        return [];
      case 'events_lost':
        this.tracer.lostEvents += record.events;
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

  #mendFullMap(at: number, waits: number): Effect[] {
    if (this.#fullSince === undefined || at - this.#restartAskedAt < fullMapRestartMilliseconds) return [];
    if (waits > 0 && at - this.#fullSince < quietMilliseconds) return [];
    this.#restartAskedAt = at;
    return [{ kind: 'restart_tracer', reason: 'map_full' }];
  }
}
