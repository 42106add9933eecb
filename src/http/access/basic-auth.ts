/** Who may ask: those who send a name and password of basic_auth_users (RFC 7617). */
import { createHmac, randomBytes } from 'node:crypto';
import { compare as compareWithBcrypt } from 'bcryptjs';
import { MmaplockError } from '../../errors.js';
import { networkOf } from '../listen/network.js';
import { FailureLimit } from './failure-limit.js';
import type { Refusal } from './refusal.js';

export interface BasicOptions {
  /** The bcrypt hash of each user's password, asked at each request. None: everybody is let in. */
  readonly users: () => ReadonlyMap<string, string>;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** For tests. */
  readonly compare?: (password: string, hash: string) => Promise<boolean>;
}

interface Credentials {
  readonly name: string;
  readonly password: string;
}

/** The security scheme of /openapi.json. */
export const basicScheme = {
  basic: { type: 'http', scheme: 'basic', description: 'A user of the file of --web.config.file.' },
} as const;

/** 0.2 s of this process each at a cost of 12, so that guessing costs a host 10 % of a core at most. */
const failuresPerMinute = { ofAll: 30, ofOne: 10 };
/** Of right credentials: there are as many as users, but for passwords that differ beyond what bcrypt looks at. */
const mostKept = 100;

const fix = 'Send a name and its password of basic_auth_users in the file of --web.config.file.';

export class BasicGuard {
  readonly #options: BasicOptions;
  readonly #limit: FailureLimit;
  /** With it, what is kept of right credentials tells nobody a password, nor does the time a look-up takes. */
  readonly #secret = randomBytes(32);
  readonly #right = new Set<string>();
  /** Comparisons under way, so that many requests at once with the same credentials cost one. */
  readonly #open = new Map<string, Promise<boolean>>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: BasicOptions) {
    this.#options = options;
    this.#limit = new FailureLimit({ ...failuresPerMinute, now: options.now });
  }

  /**
   * Looks at the header Authorization; undefined where it lets in. Credentials that were right once are known at once,
   * whatever failed meanwhile: who guesses locks nobody out who is in.
   * @param address of who asks
   */
  async refusal(authorization: string | undefined, address: string): Promise<Refusal | undefined> {
    const users = this.#options.users();
    if (users.size === 0) return undefined;
    const given = credentialsOf(authorization);
    if (given === undefined) return unauthorized('this asks for a name and a password');
    const hash = users.get(given.name);
    const digest = this.#digestOf(given, hash);
    if (this.#right.has(digest)) return undefined;
    const open = this.#open.get(digest);
    if (open !== undefined) return (await open) ? undefined : unauthorized(wrong);
    const source = networkOf(address);
    const wait = this.#limit.wait(source);
    if (wait !== undefined) return tooMany(wait);
    const failure = this.#limit.count(source);
    // A name that is not there takes the time of one that is.
    const [someHash] = users.values();
    const comparison = this.#inTurn(given.password, hash ?? (someHash as string)).then(
      (same) => same && hash !== undefined,
    );
    this.#open.set(digest, comparison);
    try {
      if (!(await comparison)) return unauthorized(wrong);
    } finally {
      this.#open.delete(digest);
    }
    this.#limit.forgive(failure);
    this.#keep(digest);
    return undefined;
  }

  /** One comparison at a time; each lets go of the event loop every 0.1 s. */
  #inTurn(password: string, hash: string): Promise<boolean> {
    const compare = this.#options.compare ?? compareWithBcrypt;
    const comparison = this.#turn.then(() => compare(password, hash));
    this.#turn = comparison.catch(() => {});
    return comparison;
  }

  #keep(digest: string): void {
    const [oldest] = this.#right;
    if (oldest !== undefined && this.#right.size >= mostKept) this.#right.delete(oldest);
    this.#right.add(digest);
  }

  /** The hash is part of it: another password of a user ends what was right before. */
  #digestOf({ name, password }: Credentials, hash = ''): string {
    return createHmac('sha256', this.#secret)
      .update(JSON.stringify([name, password, hash]))
      .digest('base64');
  }
}

const wrong = 'this is not the name and password of a user';

const unauthorized = (message: string): Refusal => ({
  error: new MmaplockError('unauthorized', message, { field: 'Authorization', fix }),
  headers: { 'www-authenticate': 'Basic realm="mmaplockd", charset="UTF-8"' },
});

const tooMany = (seconds: number): Refusal => ({
  error: new MmaplockError('too_many_failures', 'there were too many wrong passwords within a minute', {
    field: 'Authorization',
    fix: 'Correct the password, and try again after Retry-After.',
  }),
  headers: { 'retry-after': String(seconds) },
});

const credentialsOf = (authorization = ''): Credentials | undefined => {
  const encoded = /^basic +([\w+/=-]+) *$/i.exec(authorization)?.[1] ?? '';
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
};
