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

export class Ledger {
  readonly waits: WaitLedger;
  readonly tracer = new TracerLedger();
  /** Time of the newest record, milliseconds since the epoch. */
  asOf = 0;
  #restartAskedAt = Number.NEGATIVE_INFINITY;

  constructor(options: { readonly waits: WaitOptions }) {
    this.waits = new WaitLedger(options.waits);
  }

  apply(record: TracerRecord): Effect[] {
    this.asOf = Math.max(this.asOf, record.at);
    switch (record.kind) {
      case 'tracer_started':
        this.waits.restart();
        this.tracer.started(record.at);
        return [];
      case 'tick':
        this.tracer.ticked(record.at);
        if (record.complete) this.waits.apply(record);
        return [];
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
        if (record.at - this.#restartAskedAt < fullMapRestartMilliseconds) return [];
        this.#restartAskedAt = record.at;
        return [{ kind: 'restart_tracer', reason: 'map_full' }];
    }
  }
}
