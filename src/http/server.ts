/**
 * The listeners. One that is not loopback serves only /metrics and /-/*, unless who asks has to show who that is; the API
 * is for this host.
 */
import { chmodSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { parseListenAddress } from '../config/address.js';
import { errnoOf, MmaplockError, messageOf } from '../errors.js';
import type { Log } from '../log/log.js';
import type { Door } from './admission.js';
import { buildApp } from './app.js';
import { BasicGuard } from './basic-auth.js';
import type { DaemonView } from './context.js';
import { isLoopback } from './host-header.js';
import { freeSocketPath, noSocket, socketMode } from './unix-socket.js';
import { WebConfig } from './web-config.js';

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

/** @throws MmaplockError `port_in_use`, `listen_failed` */
const listenTcp = async (view: DaemonView, log: Log, address: string, door: Door): Promise<Listener> => {
  const { host, port } = parseListenAddress(address)!;
  const scope = isLoopback(host) ? 'everything' : door.web.guarded ? 'api' : 'metrics';
  const app = await buildApp(view, log, { host, scope, door });
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

/** @throws MmaplockError `port_in_use`, `listen_failed` */
const listenUnix = async (view: DaemonView, log: Log, path: string): Promise<Listener> => {
  await freeSocketPath(path);
  const app = await buildApp(view, log, { host: 'localhost', scope: 'everything' });
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
 * @throws MmaplockError `port_in_use`, `listen_failed`, and what is wrong with the file of `--web.config.file`
 */
export const listen = async (view: DaemonView, log: Log): Promise<Listener[]> => {
  const { listen_address: addresses, config_file: file, unix_socket: socket } = view.config.web;
  const web = new WebConfig(file, log);
  const guard = new BasicGuard({ users: () => web.current().users, now: view.monotonic });
  const listeners: Listener[] = [];
  try {
    for (const address of addresses) listeners.push(await listenTcp(view, log, address, { web, guard }));
    if (socket !== '') listeners.push(await listenUnix(view, log, socket));
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close()));
    throw error;
  }
  return listeners;
};
