/** The listeners. One that is not loopback serves only /metrics and /-/*; the API is for this host. */
import { isIP } from 'node:net';
import swagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { parseListenAddress } from '../config/address.js';
import { errnoOf, MmaplockError, messageOf } from '../errors.js';
import type { Log } from '../log/log.js';
import type { DaemonView } from './context.js';
import { sendBadPath, sendProblem, useProblems } from './problem.js';
import { blockRoutes } from './routes-blocks.js';
import { incidentRoutes } from './routes-incidents.js';
import { bearerScheme, inspectRoutes } from './routes-inspect.js';
import { processRoutes } from './routes-processes.js';
import { readerRoutes } from './routes-readers.js';
import { healthRoutes, statusRoutes } from './routes-status.js';
import { streamRoutes } from './routes-stream.js';
import { waitRoutes } from './routes-waits.js';

export interface Listener {
  /** As it is bound, with the real port. */
  readonly url: string;
  close(): Promise<void>;
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\./.test(host);

/** A host as it is compared: without the brackets of an IPv6 address, in lower case. */
const plainHost = (host: string): string => host.replace(/^\[|\]$/g, '').toLowerCase();

/** The name in a Host header, without port and brackets. */
const hostName = (header: string): string => plainHost(header.replace(/:\d+$/, ''));

/** An application for one listener; `scope` says how much of it is served. */
export const buildApp = async (
  view: DaemonView,
  log: Log,
  { host, scope }: { host: string; scope: 'everything' | 'metrics' },
): Promise<FastifyInstance> => {
  const app = Fastify({
    // What fastify itself says at info (where it listens) main says once, for all listeners.
    loggerInstance: log.child(
      {},
      { level: log.isLevelEnabled('debug') ? log.level : 'warn' },
    ) as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { ignoreTrailingSlash: false },
    // With strictNumbers ajv leaves out the bounds of a number that is not finite, such as limit=1e999.
    ajv: {
      customOptions: { removeAdditional: false, coerceTypes: true, allErrors: false, strictNumbers: false },
    },
    // For a request to come in; an answer takes the time it takes.
    requestTimeout: 30_000,
    frameworkErrors: (_error, _request, reply) => sendBadPath(reply),
  }).withTypeProvider<TypeBoxTypeProvider>();
  // No route takes a body. What a request carries is not read, so that a wrong method is told as just that.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  useProblems(app);
  app.addHook('onSend', async (_, reply) => {
    reply.header('x-content-type-options', 'nosniff');
  });
  app.addHook('onResponse', async (request, reply) => {
    request.log.debug({ method: request.method, url: request.url, status: reply.statusCode }, 'request');
  });
  if (scope === 'everything') {
    // A page of another origin that rebinds its name to this address still sends its own name as Host.
    const allowed = new Set([host, 'localhost', ...view.config.web.allowed_hosts].map(plainHost));
    app.addHook('onRequest', async (request, reply) => {
      const name = hostName(request.headers.host ?? '');
      if (allowed.has(name) || (isIP(name) !== 0 && isLoopback(name))) return;
      return sendProblem(
        reply,
        new MmaplockError('host_not_allowed', 'the Host header does not name this daemon', { field: 'Host' }),
      );
    });
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: { title: 'mmaplockd', version: view.version },
        components: { securitySchemes: bearerScheme },
      },
    });
    await app.register(statusRoutes(view));
    await app.register(waitRoutes(view));
    await app.register(processRoutes(view));
    await app.register(readerRoutes(view));
    await app.register(blockRoutes(view));
    await app.register(streamRoutes(view));
    await app.register(incidentRoutes(view));
    await app.register(inspectRoutes(view, log));
    app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  }
  await app.register(healthRoutes(view));
  return app;
};

/**
 * Opens every listener of the configuration, or none.
 * @throws MmaplockError `port_in_use`, `listen_failed`
 */
export const listen = async (view: DaemonView, log: Log): Promise<Listener[]> => {
  const listeners: Listener[] = [];
  for (const address of view.config.web.listen_address) {
    const { host, port } = parseListenAddress(address)!;
    const scope = isLoopback(host) ? 'everything' : 'metrics';
    const app = await buildApp(view, log, { host, scope });
    try {
      const url = await app.listen({ host, port });
      listeners.push({ url, close: () => app.close() });
    } catch (error) {
      await Promise.all([app.close(), ...listeners.map((listener) => listener.close())]);
      const code = errnoOf(error) === 'EADDRINUSE' ? 'port_in_use' : 'listen_failed';
      throw new MmaplockError(code, `cannot listen on ${address}: ${messageOf(error)}`, {
        field: 'web.listen_address',
        cause: error,
      });
    }
  }
  return listeners;
};
