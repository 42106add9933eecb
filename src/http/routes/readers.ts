/** /api/v1/readers. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { listOf, listQuery, pageOf, sinceFilter, sinceQuery } from '../../api/lists/lists.js';
import { sortQuery } from '../../api/lists/order.js';
import { describeReader, readerFile, readerOrder, readerRow } from '../../api/reader-rows.js';
import { matches, nameQuery } from '../../api/rows.js';
import type { DaemonView } from '../../api/view.js';

export const readerRoutes =
  (view: DaemonView): FastifyPluginAsyncTypebox =>
  async (app) => {
    const order = readerOrder(view);
    app.get(
      '/api/v1/readers',
      {
        schema: {
          summary: 'Who reads maps, smaps and the like: readers by name, cgroup and file',
          querystring: Type.Object(
            {
              ...listQuery,
              ...sortQuery(order),
              ...sinceQuery,
              file: Type.Optional(readerFile),
              reader: nameQuery,
            },
            { additionalProperties: false },
          ),
          response: { 200: listOf(readerRow) },
        },
      },
      async ({ query }) => {
        const { readers } = view.ledger;
        const isRecent = sinceFilter(query.since, view);
        const entries = readers.list
          .entries()
          .filter(
            (entry) =>
              isRecent(entry.lastSeenAt) &&
              matches(query.file, entry.file) &&
              matches(query.reader, entry.name),
          );
        const complete = readers.list.dropped === 0;
        return pageOf(entries, query, {
          order,
          describe: (entry) => describeReader(entry, view),
          view,
          complete,
        });
      },
    );
  };
