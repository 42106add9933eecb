/** Who may ask for what costs others: those who send the token that the daemon knows (RFC 6750). */
import { createHash, timingSafeEqual } from 'node:crypto';
import { MmaplockError } from '../errors.js';

export interface BearerOptions {
  /** Called for each request. What it rejects with is no failure of who asked. */
  readonly readToken: () => Promise<string>;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

/** Why somebody is not let in, with the headers of the answer. */
export interface BearerRefusal {
  readonly error: MmaplockError;
  readonly headers: Readonly<Record<string, string>>;
}

const minuteMilliseconds = 60_000;
const failuresPerMinute = 10;

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Takes the same time however much of a token is right: digests are all of one length. */
const isSame = (given: string, expected: string): boolean =>
  timingSafeEqual(digestOf(given), digestOf(expected));

export class BearerGuard {
  readonly #options: BearerOptions;
  /** When the newest failures were, at most ten. */
  #failures: number[] = [];

  constructor(options: BearerOptions) {
    this.#options = options;
  }

  /**
   * Looks at the header Authorization; undefined where it has the token. After ten failures within a minute nobody is
   * let in until the first of them is a minute old, or guessing would go on.
   */
  async refusal(authorization: string | undefined): Promise<BearerRefusal | undefined> {
    const token = await this.#options.readToken();
    // Nothing is awaited from here on: of many requests at once none slips past the limit.
    const now = this.#options.now();
    this.#failures = this.#failures.filter((at) => now - at < minuteMilliseconds);
    const [oldest] = this.#failures;
    if (oldest !== undefined && this.#failures.length >= failuresPerMinute)
      return {
        error: new MmaplockError(
          'too_many_failures',
          `there were ${failuresPerMinute} requests without the right token within a minute`,
          { field: 'Authorization' },
        ),
        headers: { 'retry-after': String(Math.ceil((oldest + minuteMilliseconds - now) / 1000)) },
      };
    const given = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (given !== undefined && isSame(given, token)) return undefined;
    this.#failures.push(now);
    return {
      error: new MmaplockError(
        'unauthorized',
        given === undefined ? 'this asks for a bearer token' : 'this is not the token',
        { field: 'Authorization' },
      ),
      headers: { 'www-authenticate': 'Bearer' },
    };
  }
}
