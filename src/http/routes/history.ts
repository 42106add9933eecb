/** /api/v1/history: the last quarter of an hour in columns of some seconds. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { historyBody, historyOf } from '../../api/history.js';
import type { DaemonView } from '../../api/view.js';

export const historyRoutes =
  (view: DaemonView): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/v1/history',
      {
        schema: {
          summary: 'The last quarter of an hour in columns of 5 s: waits, durations, files, who blocked whom',
          querystring: Type.Object({}, { additionalProperties: false }),
          response: { 200: historyBody },
        },
      },
      async () => historyOf(view),
    );
  };
