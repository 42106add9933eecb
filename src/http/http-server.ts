/** The server of one listener, with its bounds; where TLS is configured, with the certificate in force when a client comes. */
import http, { type RequestListener, type Server } from 'node:http';
import https from 'node:https';
import type { TLSSocket } from 'node:tls';
import { letsIn } from './client-certificate.js';
import { longestHead, mostConnections, mostRequestsOfOne, type Patience } from './limits.js';
import { networkOf } from './network.js';
import { Seats } from './seats.js';
import { endUnanswered } from './unanswered.js';
import type { WebConfig } from './web-config.js';

export interface ServerOptions {
  /** All who come have one address: that of this host, or none. */
  readonly local: boolean;
  readonly web: WebConfig | undefined;
  readonly patience: Patience;
  /** Called for each connection that is closed for want of a seat. */
  readonly onFull: () => void;
}

const boundsOf = ({ handshake, head, request, idle, between }: Patience): https.ServerOptions => ({
  maxHeaderSize: longestHead,
  handshakeTimeout: handshake,
  headersTimeout: head,
  requestTimeout: request,
  keepAliveTimeout: idle,
  connectionsCheckingInterval: between,
});

/** Makes the server of a fastify application. */
export const createServer = (
  handler: RequestListener,
  { local, web, patience, onFull }: ServerOptions,
): Server => {
  const tls = web?.current().tls;
  const bounds = boundsOf(patience);
  const server =
    web === undefined || tls === undefined
      ? http.createServer(bounds, handler)
      : createTls(handler, bounds, web, tls);
  server.maxRequestsPerSocket = mostRequestsOfOne;
  server.timeout = patience.stuck;
  endUnanswered(server, tls === undefined ? 'connection' : 'secureConnection');
  const { ofAll, ofOne } = mostConnections;
  boundConnections(server, new Seats({ ofAll, ofOne: local ? ofAll : ofOne }), onFull);
  return server;
};

/** Before a handshake, and before what the server itself does with a connection. */
const boundConnections = (server: Server, seats: Seats, onFull: () => void): void => {
  server.prependListener('connection', (socket) => {
    const source = networkOf(socket.remoteAddress ?? '');
    if (seats.scarce) server.closeIdleConnections();
    if (seats.take(source)) {
      socket.once('close', () => seats.leave(source));
      return;
    }
    onFull();
    // Once the server has seen it, for it does not expect one that is closed already.
    process.nextTick(() => socket.destroy());
  });
};

const createTls = (
  handler: RequestListener,
  bounds: https.ServerOptions,
  web: WebConfig,
  tls: NonNullable<ReturnType<WebConfig['current']>['tls']>,
): Server => {
  let shown = tls;
  const server = https.createServer(
    {
      ...tls,
      ...bounds,
      requestCert: tls.clientAuth !== 'NoClientCert',
      // Others are looked at below, once the handshake is over.
      rejectUnauthorized: tls.clientAuth === 'RequireAndVerifyClientCert',
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
  if (tls.clientAuth === 'NoClientCert') return server;
  // Before HTTP is spoken.
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const { authorized } = socket;
    if (!letsIn(shown, { certificate: socket.getPeerX509Certificate(), authorized })) socket.destroy();
  });
  return server;
};
