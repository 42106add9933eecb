/** /api/v1/processes. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { listOf, listQuery, pageOf, sinceFilter, sinceQuery } from '../../api/lists/lists.js';
import { sortQuery } from '../../api/lists/order.js';
import { describeProcess, processOrder, processRow } from '../../api/process-rows.js';
import { matches, nameQuery } from '../../api/rows.js';
import type { DaemonView } from '../../api/view.js';

export const processRoutes =
  (view: DaemonView): FastifyPluginAsyncTypebox =>
  async (app) => {
    const order = processOrder(view);
    app.get(
      '/api/v1/processes',
      {
        schema: {
          summary: 'Who waits: processes by name and cgroup, VMA waits included',
          querystring: Type.Object(
            { ...listQuery, ...sortQuery(order), ...sinceQuery, process: nameQuery },
            { additionalProperties: false },
          ),
          response: { 200: listOf(processRow) },
        },
      },
      async ({ query }) => {
        const { waits } = view.ledger;
        const isRecent = sinceFilter(query.since, view);
        const entries = waits.list
          .entries()
          .filter(({ name, lastAt }) => isRecent(lastAt) && matches(query.process, name));
        const complete = waits.list.dropped === 0;
        return pageOf(entries, query, {
          order,
          describe: (entry) => describeProcess(entry, view),
          view,
          complete,
        });
      },
    );
  };
