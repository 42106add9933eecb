/** /-/healthy, /-/ready, /metrics and /api/v1/status. */
import type { FastifyPluginAsync } from 'fastify';
import { Type } from 'typebox';
import { statusOf } from '../../api/status.js';
import type { DaemonView } from '../../api/view.js';

/** Named, and not with the weight 0, which refuses it (RFC 9110, 12.5.3). */
const acceptsGzip = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i;

/** Served on every listener. */
export const healthRoutes =
  (view: DaemonView): FastifyPluginAsync =>
  async (app) => {
    app.get('/metrics', { schema: { summary: 'Prometheus metrics' } }, async (request, reply) => {
      const { contentType, text, gzipped } = await view.metrics();
      reply.type(contentType).header('vary', 'accept-encoding');
      if (!acceptsGzip.test(String(request.headers['accept-encoding'] ?? ''))) return reply.send(text);
      return reply.header('content-encoding', 'gzip').send(gzipped);
    });
    app.get('/-/healthy', { schema: { summary: 'Whether the daemon lives' } }, async () => ({
      healthy: true,
    }));
    app.get(
      '/-/ready',
      { schema: { summary: 'Whether this host is observed; if not, why' } },
      async (_, reply) => {
        const readiness = view.readiness();
        return reply.code(readiness.ready ? 200 : 503).send(readiness);
      },
    );
  };

/** Served to this host only. */
export const statusRoutes =
  (view: DaemonView): FastifyPluginAsync =>
  async (app) => {
    app.get(
      '/api/v1/status',
      {
        schema: {
          summary: 'Kernel, lock paths, plan with reasons, tracer, readiness and cost',
          querystring: Type.Object({}, { additionalProperties: false }),
        },
      },
      async () => statusOf(view),
    );
  };
