/** A bucket of requests: so many at once, and one more at each interval (rate_limit of exporter-toolkit). */
import type { WebRate } from '../../config/web/file.js';
import { MmaplockError } from '../../errors.js';
import type { Refusal } from './refusal.js';

export interface RateOptions {
  /** Asked at each request; undefined: no limit. */
  readonly rate: () => WebRate | undefined;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

export class RateLimit {
  readonly #options: RateOptions;
  /** What the bucket was filled by: another rate begins with a full one. */
  #rate: WebRate | undefined;
  #left = 0;
  #filledAt = 0;

  constructor(options: RateOptions) {
    this.#options = options;
  }

  /** Takes one request; what is answered where there is none left. */
  refusal(): Refusal | undefined {
    const rate = this.#options.rate();
    if (rate === undefined) return undefined;
    const now = this.#options.now();
    if (this.#rate?.burst !== rate.burst || this.#rate.intervalMilliseconds !== rate.intervalMilliseconds)
      this.#left = rate.burst;
    else this.#left = Math.min(rate.burst, this.#left + (now - this.#filledAt) / rate.intervalMilliseconds);
    this.#rate = rate;
    this.#filledAt = now;
    if (this.#left >= 1) {
      this.#left -= 1;
      return undefined;
    }
    const seconds = Math.max(1, Math.ceil(((1 - this.#left) * rate.intervalMilliseconds) / 1000));
    return {
      error: new MmaplockError('too_many_requests', 'there are more requests than rate_limit allows'),
      headers: { 'retry-after': String(seconds) },
    };
  }
}
