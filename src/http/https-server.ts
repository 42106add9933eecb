/** A server that speaks TLS, with the certificate that is in force when a client comes. */
import type { RequestListener, Server } from 'node:http';
import https from 'node:https';
import type { WebConfig } from './web-config.js';

/** For a client to get through its handshake; it also bounds how long a silent one holds up the end of the daemon. */
const handshakeMilliseconds = 5000;

/**
 * Makes the servers of a fastify application; undefined where TLS is not configured. Of the two addresses of `localhost`
 * such a server has the first alone.
 */
export const createHttpsFactory = (
  web: WebConfig,
  timeouts: Pick<Server, 'requestTimeout' | 'keepAliveTimeout'>,
): ((handler: RequestListener) => Server) | undefined => {
  const { tls } = web.current();
  if (tls === undefined) return undefined;
  return (handler) => {
    let shown = tls;
    const { asksClients } = tls;
    const server = https.createServer(
      {
        ...tls,
        requestCert: asksClients,
        rejectUnauthorized: asksClients,
        handshakeTimeout: handshakeMilliseconds,
      },
      handler,
    );
    // Before the handshake, which a listener of the server itself begins.
    server.prependListener('connection', () => {
      const now = web.current().tls ?? shown;
      if (now === shown) return;
      server.setSecureContext(now);
      shown = now;
    });
    return Object.assign(server, timeouts);
  };
};
