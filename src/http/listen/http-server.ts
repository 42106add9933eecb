/** The server of one listener, with its bounds; where TLS is configured, with the certificate in force when a client comes. */
import http, { type RequestListener, type Server } from 'node:http';
import https from 'node:https';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '../../clock.js';
import { letsIn } from './client-certificate.js';
import { Connections } from './connections.js';
import { longestHead, mostConnections, mostRequestsOfOne, mostWaiting, type Patience } from './limits.js';
import { SocketSeats } from './socket-seats.js';
import type { Unsent } from './unsent.js';
import type { WebConfig } from './web-config.js';

export interface ServerOptions {
  /** All who come have one address: that of this host, or none. */
  readonly local: boolean;
  readonly web: WebConfig | undefined;
  readonly patience: Patience;
  /** Of all listeners. */
  readonly unsent: Unsent;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Called for each connection that is closed for want of a seat. */
  readonly onFull: () => void;
}

const boundsOf = ({ handshake, head, request, idle, between }: Patience): https.ServerOptions => ({
  maxHeaderSize: longestHead,
  // What it answers itself has neither a problem nor our headers: see admission.ts.
  requireHostHeader: false,
  handshakeTimeout: handshake,
  headersTimeout: head,
  requestTimeout: request,
  keepAliveTimeout: idle,
  connectionsCheckingInterval: between,
});

/** Makes the server of a fastify application. */
export const createServer = (
  handler: RequestListener,
  { local, web, patience, unsent, now, onFull }: ServerOptions,
): Server => {
  const tls = web?.current().tls;
  const bounds = boundsOf(patience);
  const { ofAll, ofOne } = mostConnections;
  const connections = new Connections(
    { ofAll, ofOne: local ? ofAll : ofOne, waiting: mostWaiting },
    { now, unsent },
  );
  const seats = new SocketSeats(connections, onFull);
  const inTurn: RequestListener = (request, response) => {
    const connection = seats.of(request.socket);
    if (connection === undefined) return;
    connections.ask(connection, () => {
      // Others are served between two requests of one connection.
      response.once('close', () => systemClock.after(0, () => connections.answered(connection)));
      handler(request, response);
    });
  };
  const server =
    web === undefined || tls === undefined
      ? http.createServer(bounds, inTurn)
      : createTls(inTurn, bounds, web, tls);
  // An expectation that nobody knows may be passed over (RFC 9110, 10.1.1).
  server.on('checkExpectation', (...asked) => server.emit('request', ...asked));
  server.maxRequestsPerSocket = mostRequestsOfOne;
  server.timeout = patience.stuck;
  // Before a handshake, and before what the server itself does with a connection.
  server.prependListener('connection', (socket) => seats.take(socket));
  server.prependListener('secureConnection', (socket: TLSSocket) => seats.secured(socket));
  const close = server.close.bind(server);
  // Once it closes, Node no longer looks at how long a request takes to come in, or an answer to be read.
  server.close = (callback) => {
    const cancelLimit = systemClock.after(patience.end, () => connections.end());
    close((error) => {
      cancelLimit();
      callback?.(error);
    });
    connections.close();
    return server;
  };
  return server;
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
