/** How well the tracer does its work: whether it is up, what was not seen, what was lost, and why. */
import { type RestartReason, restartReasons } from '../vocabulary.js';

export class TracerLedger {
  up = false;
  /** Milliseconds since the epoch; undefined before the first tick. */
  lastTickAt: number | undefined;
  lostEvents = 0;
  decodeErrors = 0;
  readonly restarts = new Map<RestartReason, number>(restartReasons.map((reason) => [reason, 0]));
  readonly overflows = new Map<string, number>();
  readonly #blindMilliseconds = new Map<RestartReason, number>(restartReasons.map((reason) => [reason, 0]));
  #gap: { readonly reason: RestartReason; readonly since: number } | undefined;

  started(at: number): void {
    if (this.#gap !== undefined) {
      this.#blindMilliseconds.set(this.#gap.reason, this.#blind(this.#gap.reason, at));
      this.#gap = undefined;
    }
    this.up = true;
  }

  ticked(at: number): void {
    this.lastTickAt = at;
  }

  /** The tracer is gone. What it did not hand over is not seen either, so the gap begins with what it said last. */
  stopped(at: number, reason: RestartReason, handedOver: boolean): void {
    this.restarts.set(reason, (this.restarts.get(reason) ?? 0) + 1);
    if (this.#gap !== undefined) return;
    this.#gap = { reason, since: this.up && !handedOver ? (this.lastTickAt ?? at) : at };
    this.up = false;
  }

  /** Seconds not observed so far, by the reason of the gap; a gap still open counts up to `now`. */
  blindSeconds(now: number): Map<RestartReason, number> {
    return new Map(restartReasons.map((reason) => [reason, this.#blind(reason, now) / 1000]));
  }

  overflowed(map: string, updates: number): void {
    this.overflows.set(map, (this.overflows.get(map) ?? 0) + updates);
  }

  #blind(reason: RestartReason, now: number): number {
    const open = this.#gap?.reason === reason ? Math.max(0, now - this.#gap.since) : 0;
    return (this.#blindMilliseconds.get(reason) ?? 0) + open;
  }
}
