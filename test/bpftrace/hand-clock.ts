import { type Clock, timeLine } from '../../src/clock.js';

interface Timer {
  readonly at: number;
  readonly call: () => void;
}

/** Lets everything run that waits for nothing but its turn. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A clock that stands still until it is moved. */
export class HandClock implements Clock {
  /** Of the clock that nobody sets. */
  #now = 1000;
  /** What the time of day is ahead of it. */
  #ahead = Date.UTC(2025, 5, 1);
  readonly #line = timeLine(
    () => this.#now + this.#ahead,
    () => this.#now,
  );
  #timers = new Set<Timer>();

  now(): number {
    return this.#line.now();
  }

  timeOfDay(at: number): number {
    return this.#line.timeOfDay(at);
  }

  atTimeOfDay(time: number): number {
    return this.#line.atTimeOfDay(time);
  }

  monotonic(): number {
    return this.#now;
  }

  /** Somebody corrects the time of day. */
  correct(seconds: number): void {
    this.#ahead += seconds * 1000;
  }

  after(milliseconds: number, call: () => void): () => void {
    const timer = { at: this.#now + milliseconds, call };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many timers are set: a stopped supervisor leaves none. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Time goes by in which this process does not run: what is due then is called late. */
  async standStill(seconds: number): Promise<void> {
    this.#now += seconds * 1000;
    const late = [...this.#timers].filter(({ at }) => at <= this.#now);
    for (const timer of late) {
      this.#timers.delete(timer);
      timer.call();
    }
    await settled();
  }

  /** Moves on; each timer that is due is called at its own time, and what follows from it runs first. */
  async pass(seconds: number): Promise<void> {
    const end = this.#now + seconds * 1000;
    await settled();
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = due.at;
      due.call();
      await settled();
    }
    this.#now = end;
  }
}
