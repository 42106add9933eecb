/** How well the tracer does its work: whether it is up, what was not seen, what was lost, and why. */
import {
  type BlindReason,
  blindReasons,
  type RestartReason,
  restartReasons,
  type UpdateLoss,
  updateLosses,
} from '../vocabulary.js';

export class TracerLedger {
  up = false;
  /** By the clock of the daemon; undefined before the first tick. */
  lastTickAt: number | undefined;
  /** Updates of maps that were lost are among them. */
  lostEvents = 0;
  readonly lostUpdates = new Map<UpdateLoss, number>(updateLosses.map((reason) => [reason, 0]));
  decodeErrors = 0;
  /** Stalls that were not told on their own. */
  untoldStalls = 0;
  #untoldOfTracer = 0;
  readonly restarts = new Map<RestartReason, number>(restartReasons.map((reason) => [reason, 0]));
  readonly overflows: Map<string, number>;
  /** The newest sign of the tracer that runs. */
  #seenAt: number | undefined;
  readonly #blindMilliseconds = new Map<BlindReason, number>(blindReasons.map((reason) => [reason, 0]));
  /** `longest` is what was told of it: no time that is handed in takes a counter down. */
  #gap: { readonly reason: BlindReason; readonly since: number; longest: number } | undefined;

  /** @param maps those that can overflow: counted from 0, so that the first overflow shows as an increase */
  constructor(maps: readonly string[] = []) {
    this.overflows = new Map(maps.map((map) => [map, 0]));
  }

  /** A tracer has ticked for the first time. */
  started(at: number): void {
    if (this.#gap !== undefined) {
      this.#blindMilliseconds.set(this.#gap.reason, this.#blind(this.#gap.reason, at));
      this.#gap = undefined;
    }
    this.up = true;
    this.#untoldOfTracer = 0;
    this.#seenAt = at;
  }

  ticked(at: number): void {
    this.lastTickAt = at;
    this.#seenAt = at;
  }

  /**
   * The tracer is gone. What it did not hand over is not seen either, so the gap begins with what it said last.
   * @param seenUntil when its probes began to go, where that took time
   */
  stopped(at: number, reason: RestartReason, handedOver: boolean, seenUntil = at): void {
    this.restarts.set(reason, (this.restarts.get(reason) ?? 0) + 1);
    if (this.#gap !== undefined) return;
    this.#gap = {
      reason,
      since: !this.up ? at : handedOver ? Math.min(seenUntil, at) : (this.#seenAt ?? at),
      longest: 0,
    };
    this.up = false;
  }

  /** No tracer is to run. */
  switchedOff(at: number): void {
    this.#gap ??= { reason: 'switched_off', since: at, longest: 0 };
  }

  /** Seconds not observed so far, by the reason of the gap; a gap still open counts up to `now`. */
  blindSeconds(now: number): Map<BlindReason, number> {
    return new Map(blindReasons.map((reason) => [reason, this.#blind(reason, now) / 1000]));
  }

  /** @param ofTracer so far, of the tracer that runs */
  untold(ofTracer: number): void {
    this.untoldStalls += Math.max(0, ofTracer - this.#untoldOfTracer);
    this.#untoldOfTracer = Math.max(ofTracer, this.#untoldOfTracer);
  }

  /** @param reason of updates of maps */
  lost(events: number, reason: UpdateLoss | undefined): void {
    this.lostEvents += events;
    if (reason !== undefined) this.lostUpdates.set(reason, (this.lostUpdates.get(reason) ?? 0) + events);
  }

  overflowed(map: string, updates: number): void {
    this.overflows.set(map, (this.overflows.get(map) ?? 0) + updates);
  }

  #blind(reason: BlindReason, now: number): number {
    const ended = this.#blindMilliseconds.get(reason) ?? 0;
    if (this.#gap?.reason !== reason) return ended;
    this.#gap.longest = Math.max(this.#gap.longest, now - this.#gap.since);
    return ended + this.#gap.longest;
  }
}
