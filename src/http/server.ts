/**
 * The listeners. One that is not loopback serves only /metrics and /-/*, unless who asks has to show who that is; the API
 * is for this host.
 */
import { lookup } from 'node:dns/promises';
import { chmodSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import type { DaemonView } from '../api/view.js';
import { parseListenAddress } from '../config/address.js';
import { errnoOf, MmaplockError, messageOf } from '../errors.js';
import type { Log } from '../log/log.js';
import type { Door } from './access/admission.js';
import { BasicGuard } from './access/basic-auth.js';
import { isLoopback } from './access/host-header.js';
import { RateLimit } from './access/rate-limit.js';
import { buildApp } from './app.js';
import { mostUnsent, type Patience } from './listen/limits.js';
import { freeSocketPath, noSocket, socketMode } from './listen/unix-socket.js';
import { Unsent } from './listen/unsent.js';
import { WebConfig } from './listen/web-config.js';

export interface Listener {
  /** As it is bound, with the real port; `unix:` and the path of a socket. */
  readonly url: string;
  close(): Promise<void>;
}

/** Opens an application; what was opened of it is closed again where that fails. */
const opened = async (app: FastifyInstance, open: () => Promise<string>): Promise<Listener> => {
  try {
    return { url: await open(), close: () => app.close() };
  } catch (error) {
    await app.close();
    throw error;
  }
};

/** What an address is opened with. */
interface Way {
  readonly door: Door;
  readonly patience: Patience | undefined;
  readonly unsent: Unsent;
}

/** @throws MmaplockError `port_in_use`, `listen_failed` */
const listenTcp = async (
  view: DaemonView,
  log: Log,
  { address, host, port }: { address: string; host: string; port: number },
  { door, patience, unsent }: Way,
): Promise<Listener> => {
  const named = parseListenAddress(address)!.host;
  const scope = isLoopback(named) ? 'everything' : door.web.guarded ? 'api' : 'metrics';
  const app = await buildApp(view, log, { host: named, scope, door, patience, unsent });
  return opened(app, async () => {
    try {
      const url = await app.listen({ host, port });
      return door.web.current().tls === undefined ? url : url.replace(/^http:/, 'https:');
    } catch (error) {
      const code = errnoOf(error) === 'EADDRINUSE' ? 'port_in_use' : 'listen_failed';
      throw new MmaplockError(code, `cannot listen on ${address}: ${messageOf(error)}`, {
        field: 'web.listen_address',
        cause: error,
      });
    }
  });
};

/**
 * Listens on an address; on `localhost` on each that it has, of which the first must be free.
 * @throws MmaplockError `port_in_use`, `listen_failed`
 */
const listenAll = async (view: DaemonView, log: Log, address: string, way: Way): Promise<Listener[]> => {
  const { host, port } = parseListenAddress(address)!;
  const [first = host, ...others] = host === 'localhost' ? await addressesOf(host) : [host];
  const listeners = [await listenTcp(view, log, { address, host: first, port }, way)];
  for (const other of others) {
    const samePort = Number(new URL(listeners[0]!.url).port);
    try {
      listeners.push(await listenTcp(view, log, { address, host: other, port: samePort }, way));
    } catch (error) {
      log.debug({ err: error }, 'localhost has an address that cannot be listened on');
    }
  }
  return listeners;
};

const addressesOf = async (host: string): Promise<string[]> => {
  try {
    return [...new Set((await lookup(host, { all: true })).map(({ address }) => address))];
  } catch {
    return [];
  }
};

/** @throws MmaplockError `port_in_use`, `listen_failed` */
const listenUnix = async (view: DaemonView, log: Log, path: string, unsent: Unsent): Promise<Listener> => {
  await freeSocketPath(path);
  const app = await buildApp(view, log, { host: 'localhost', scope: 'everything', unsent });
  return opened(app, async () => {
    try {
      await app.listen({ path });
      // Until then the umask keeps the others out, for it takes the right to write to connect. Closing removes the socket.
      chmodSync(path, socketMode);
      return `unix:${path}`;
    } catch (error) {
      throw noSocket(path, error);
    }
  });
};

/**
 * Opens every listener of the configuration, or none.
 * @param patience with those who connect by TCP; the usual one where it is left out
 * @throws MmaplockError `port_in_use`, `listen_failed`, and what is wrong with the file of `--web.config.file`
 */
export const listen = async (view: DaemonView, log: Log, patience?: Patience): Promise<Listener[]> => {
  const { listen_address: addresses, config_file: file, unix_socket: socket } = view.config.web;
  const web = new WebConfig(file, log);
  const guard = new BasicGuard({ users: () => web.current().users, now: view.monotonic });
  const rate = new RateLimit({ rate: () => web.current().rate, now: view.monotonic });
  const unsent = new Unsent(mostUnsent);
  const way = { door: { web, guard, rate }, patience, unsent };
  const listeners: Listener[] = [];
  try {
    for (const address of addresses) listeners.push(...(await listenAll(view, log, address, way)));
    if (socket !== '') listeners.push(await listenUnix(view, log, socket, unsent));
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close()));
    throw error;
  }
  return listeners;
};
