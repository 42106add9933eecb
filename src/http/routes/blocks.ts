/** /api/v1/blocks. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import {
  blockEvidence,
  blockEvidenceOf,
  blockFile,
  blockOrder,
  describeListedBlock,
  listedBlockRow,
  readerName,
} from '../../api/block-rows.js';
import { listOf, listQuery, pageOf, sinceFilter, sinceQuery } from '../../api/lists/lists.js';
import { sortQuery } from '../../api/lists/order.js';
import { matches, nameQuery } from '../../api/rows.js';
import type { DaemonView } from '../../api/view.js';

export const blockRoutes =
  (view: DaemonView): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/v1/blocks',
      {
        schema: {
          summary: 'Which reader made whom wait, behind which file',
          querystring: Type.Object(
            {
              ...listQuery,
              ...sortQuery(blockOrder),
              ...sinceQuery,
              file: Type.Optional(blockFile),
              reader: nameQuery,
              victim: nameQuery,
            },
            { additionalProperties: false },
          ),
          response: {
            200: listOf(listedBlockRow, { evidence: blockEvidence }),
          },
        },
      },
      async ({ query }) => {
        const { blocks } = view.ledger;
        const isRecent = sinceFilter(query.since, view);
        const entries = blocks.list
          .entries()
          .filter(
            (entry) =>
              isRecent(entry.lastSeenAt) &&
              matches(query.file, entry.file) &&
              matches(query.reader, readerName(entry)) &&
              matches(query.victim, entry.victim.name),
          );
        const complete = blocks.list.dropped === 0;
        return {
          evidence: blockEvidenceOf(view),
          ...pageOf(entries, query, {
            order: blockOrder,
            describe: (entry) => describeListedBlock(entry, view),
            view,
            complete,
          }),
        };
      },
    );
  };
