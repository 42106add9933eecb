/** The file of `--web.config.file` with what it names, as long as the daemon lives: read again when one of them changes. */
import { statSync } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';
import { readWebFile, type WebFile } from '../../config/web/file.js';
import { webFileField } from '../../config/web/section.js';
import { knowsClients, type WebTls } from '../../config/web/tls.js';
import { errnoOf, MmaplockError, messageOf } from '../../errors.js';
import type { Log } from '../../log/log.js';
import { readTls, tlsFiles } from './tls.js';

/** What is in force; another object after each change. */
export interface WebState extends Pick<WebFile, 'headers' | 'users' | 'rate'> {
  readonly tls: (SecureContextOptions & Pick<WebTls, 'clientAuth' | 'allowedSans'>) | undefined;
}

const nothing: WebState = { tls: undefined, headers: new Map(), users: new Map(), rate: undefined };

/**
 * Tells a file from what it was, also where another was put into its place. Two writes of one size within a tick of the
 * kernel, 4 ms, look like one.
 */
const stampOf = (file: string): string => {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return errnoOf(error) ?? messageOf(error);
  }
};

export class WebConfig {
  readonly #file: string;
  readonly #log: Pick<Log, 'info' | 'error'>;
  /** Of each file that the last reading looked at, taken before it did. */
  #stamps: ReadonlyMap<string, string> = new Map();
  #state: WebState;

  /**
   * @param file an empty path: neither TLS nor passwords
   * @throws MmaplockError `unreadable_config`, `unknown_config_key`, `invalid_config`, `tls_unusable`
   */
  constructor(file: string, log: Pick<Log, 'info' | 'error'>) {
    this.#file = file;
    this.#log = log;
    this.#state = file === '' ? nothing : this.#read();
  }

  /** Whether all who are served have shown who they are. */
  get guarded(): boolean {
    return this.#state.users.size > 0 || knowsClients(this.#state.tls?.clientAuth);
  }

  /**
   * What is in force now: to be asked at each connection and request, for it costs the time of a few stat(2) alone.
   * Where the files changed to something that is not valid, the log says so once, and what was in force stays.
   */
  current(): WebState {
    if (![...this.#stamps].some(([file, stamp]) => stampOf(file) !== stamp)) return this.#state;
    try {
      const state = this.#read();
      refuseOpening(this.#state, state);
      this.#state = state;
      this.#log.info({ file: this.#file }, 'the web configuration was read again');
    } catch (error) {
      this.#log.error(
        { err: error },
        'the web configuration changed and is not taken over; the old one stays',
      );
    }
    return this.#state;
  }

  #read(): WebState {
    const stamps = new Map<string, string>();
    const watch = (file: string) => stamps.set(file, stampOf(file));
    watch(this.#file);
    this.#stamps = stamps;
    const { tls, ...rest } = readWebFile(this.#file);
    if (tls === undefined) return { tls, ...rest };
    tlsFiles(tls).forEach(watch);
    const { clientAuth, allowedSans } = tls;
    return { tls: { ...readTls(tls), clientAuth, allowedSans }, ...rest };
  }
}

/**
 * What sockets that are open cannot change, and what would open the API to all without anybody having looked: listeners
 * got their routes, and their protocol, by what the file said at the start.
 */
const refuseOpening = (before: WebState, after: WebState): void => {
  const held = (what: string): MmaplockError =>
    new MmaplockError('web_config_held', `${what} only by a new start`, { field: webFileField });
  if ((before.tls === undefined) !== (after.tls === undefined)) throw held('TLS is switched on or off');
  if (before.tls?.clientAuth !== after.tls?.clientAuth)
    throw held('client_auth_type of tls_server_config changes');
  if (before.users.size > 0 && after.users.size === 0) throw held('the last of basic_auth_users is removed');
};

/** Reads the file, and what it names, to throw what `new WebConfig` throws. */
export const checkWebConfig = (file: string): void => {
  new WebConfig(file, { info: () => {}, error: () => {} });
};
