/** /api/v1/waits. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { listOf, listQuery, pageOf } from '../../api/lists/lists.js';
import { sortQuery } from '../../api/lists/order.js';
import { matches } from '../../api/rows.js';
import type { DaemonView } from '../../api/view.js';
import {
  describeOngoing,
  describeWaits,
  ongoingRow,
  waitMode,
  waitOperation,
  waitOrder,
  waitRow,
} from '../../api/wait-rows.js';

export const waitRoutes =
  (view: DaemonView): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/v1/waits',
      {
        schema: {
          summary: 'Waits by mode and operation, and the longest of those still going on',
          querystring: Type.Object(
            {
              ...listQuery,
              ...sortQuery(waitOrder),
              mode: Type.Optional(waitMode),
              operation: Type.Optional(waitOperation),
            },
            { additionalProperties: false },
          ),
          response: {
            200: listOf(waitRow, {
              ongoing: Type.Array(ongoingRow, { description: 'Oldest first, at most 64 a mode.' }),
            }),
          },
        },
      },
      async ({ query }) => {
        const { waits } = view.ledger;
        const wanted = (row: { mode: string; operation: string }): boolean =>
          matches(query.mode, row.mode) && matches(query.operation, row.operation);
        const totals = [...waits.totals.values()].filter(wanted);
        const ongoing = waits.ongoing
          .filter(wanted)
          .toSorted((a, b) => b.seconds - a.seconds)
          .map((wait) => describeOngoing(wait, view));
        return {
          ...pageOf(totals, query, { order: waitOrder, describe: describeWaits, view, complete: true }),
          ongoing,
        };
      },
    );
  };
