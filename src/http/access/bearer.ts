/** Who may ask for what costs others: those who send the token that the daemon knows (RFC 6750). */
import { createHash, timingSafeEqual } from 'node:crypto';
import { MmaplockError } from '../../errors.js';
import { FailureLimit } from './failure-limit.js';
import type { Refusal } from './refusal.js';

export interface BearerOptions {
  /** Called for each request. What it rejects with is no failure of who asked. */
  readonly readToken: () => Promise<string>;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

const failuresPerMinute = 10;
/** All who ask have these failures in common. */
const anyone = '';

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Takes the same time however much of a token is right: digests are all of one length. */
const isSame = (given: string, expected: string): boolean =>
  timingSafeEqual(digestOf(given), digestOf(expected));

export class BearerGuard {
  readonly #readToken: BearerOptions['readToken'];
  readonly #limit: FailureLimit;

  constructor({ readToken, now }: BearerOptions) {
    this.#readToken = readToken;
    this.#limit = new FailureLimit({ ofAll: failuresPerMinute, now });
  }

  /**
   * Looks at the header Authorization; undefined where it has the token. After ten failures within a minute nobody is
   * let in until the first of them is a minute old, or guessing would go on.
   */
  async refusal(authorization: string | undefined): Promise<Refusal | undefined> {
    const token = await this.#readToken();
    // Nothing is awaited from here on: of many requests at once none slips past the limit.
    const wait = this.#limit.wait(anyone);
    if (wait !== undefined)
      return {
        error: new MmaplockError(
          'too_many_failures',
          `there were ${failuresPerMinute} requests without the right token within a minute`,
          { field: 'Authorization' },
        ),
        headers: { 'retry-after': String(wait) },
      };
    const given = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (given !== undefined && isSame(given, token)) return undefined;
    this.#limit.count(anyone);
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
