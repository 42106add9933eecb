/** The HTTP application of one listener. */
import swagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { DaemonView } from '../api/view.js';
import type { Log } from '../log/log.js';
import { createRepeatLimit } from '../log/once.js';
import { type Door, headersOf, useAdmission } from './access/admission.js';
import { basicScheme } from './access/basic-auth.js';
import { isLoopback } from './access/host-header.js';
import { answerClientError } from './client-error.js';
import { createServer } from './listen/http-server.js';
import { longestTarget, mostUnsent, type Patience, usualPatience } from './listen/limits.js';
import { Unsent } from './listen/unsent.js';
import { sendBadPath, useProblems } from './problem.js';
import { blockRoutes } from './routes/blocks.js';
import { historyRoutes } from './routes/history.js';
import { incidentRoutes } from './routes/incidents.js';
import { bearerScheme, inspectRoutes } from './routes/inspect.js';
import { pageRoutes } from './routes/page.js';
import { processRoutes } from './routes/processes.js';
import { readerRoutes } from './routes/readers.js';
import { healthRoutes, statusRoutes } from './routes/status.js';
import { streamRoutes } from './routes/stream.js';
import { waitRoutes } from './routes/waits.js';

/** `metrics` is /metrics and /-/* alone; `api` is everything but inspect mode, which is for this host alone. */
export type Scope = 'everything' | 'api' | 'metrics';

export interface AppOptions {
  /** What the listener listens on. */
  readonly host: string;
  readonly scope: Scope;
  /** How those are known who ask; undefined where the way to the listener says who may. */
  readonly door?: Door | undefined;
  /** The usual one where it is left out. */
  readonly patience?: Patience | undefined;
  /** Of all listeners; this one has its own where it is left out. */
  readonly unsent?: Unsent | undefined;
}

/** Minutes between two lines of the log that say that connections are turned away. */
const minutesBetween = 60;

export const buildApp = async (
  view: DaemonView,
  log: Log,
  { host, scope, door, patience = usualPatience, unsent = new Unsent(mostUnsent) }: AppOptions,
): Promise<FastifyInstance> => {
  const limitRepeats = createRepeatLimit({ minutes: minutesBetween, now: view.monotonic });
  const onFull = (): void =>
    limitRepeats('full', (unsaid) =>
      log.warn(
        { host, unsaid },
        'a listener has as many connections as it takes; for each newcomer the one that waits longest is closed',
      ),
    );
  const app = Fastify({
    // What fastify itself says at info (where it listens) main says once, for all listeners.
    loggerInstance: log.child(
      {},
      { level: log.isLevelEnabled('debug') ? log.level : 'warn' },
    ) as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    // An id that is too long is one that nothing has.
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: longestTarget },
    // With strictNumbers ajv leaves out the bounds of a number that is not finite, such as limit=1e999.
    ajv: {
      customOptions: { removeAdditional: false, coerceTypes: true, allErrors: false, strictNumbers: false },
    },
    serverFactory: (handler) =>
      createServer(handler, {
        local: door === undefined || isLoopback(host),
        web: door?.web,
        patience,
        unsent,
        now: view.monotonic,
        onFull,
      }),
    clientErrorHandler: answerClientError,
    frameworkErrors: (_error, _request, reply) =>
      sendBadPath(reply.headers(Object.fromEntries(headersOf(door)))),
  }).withTypeProvider<TypeBoxTypeProvider>();
  // No route takes a body. What a request carries is not read, so that a wrong method is told as just that.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  useProblems(app);
  useAdmission(app, {
    host,
    allowedHosts: view.config.web.allowed_hosts,
    anyHost: scope === 'metrics',
    door,
  });
  app.addHook('onResponse', async (request, reply) => {
    request.log.debug({ method: request.method, url: request.url, status: reply.statusCode }, 'request');
  });
  if (scope !== 'metrics') {
    await app.register(swagger, { openapi: describeApi(view.version, door) });
    await app.register(statusRoutes(view));
    await app.register(waitRoutes(view));
    await app.register(processRoutes(view));
    await app.register(readerRoutes(view));
    await app.register(blockRoutes(view));
    await app.register(streamRoutes(view));
    await app.register(historyRoutes(view));
    await app.register(pageRoutes(view));
    await app.register(incidentRoutes(view));
    if (scope === 'everything') await app.register(inspectRoutes(view, log));
    app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  }
  await app.register(healthRoutes(view));
  return app;
};

const describeApi = (version: string, door: Door | undefined) => {
  const asksPassword = (door?.web.current().users.size ?? 0) > 0;
  return {
    openapi: '3.1.0',
    info: { title: 'mmaplockd', version },
    ...(asksPassword && { security: [{ basic: [] }] }),
    components: { securitySchemes: asksPassword ? { ...bearerScheme, ...basicScheme } : bearerScheme },
  };
};
