/** /api/v1/blocks. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { blockFile, blockRow, describeBlock, readerName } from '../../api/block-rows.js';
import { listOf, listQuery, pageOf, sinceFilter, sinceQuery } from '../../api/lists/lists.js';
import { type Order, sortQuery } from '../../api/lists/order.js';
import { matches, nameQuery } from '../../api/rows.js';
import type { DaemonView } from '../../api/view.js';
import { isoTime } from '../../clock.js';
import type { BlockEntry } from '../../ledger/lists/block-list.js';

const measure = (entry: BlockEntry) => ({
  file: entry.file,
  reader: readerName(entry),
  victim: entry.victim.name,
  blocks_total: entry.count,
  block_seconds_total: entry.nanoseconds / 1e9,
  last_seen_at: entry.lastSeenAt,
});

const order: Order<BlockEntry, keyof ReturnType<typeof measure>> = {
  members: ['file', 'reader', 'victim', 'blocks_total', 'block_seconds_total', 'last_seen_at'],
  measure,
  key: ({ file, reader, victim }) =>
    JSON.stringify([file, reader?.name, reader?.cgroupId, victim.name, victim.cgroupId]),
  normally: '-block_seconds_total',
};

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
              ...sortQuery(order),
              ...sinceQuery,
              file: Type.Optional(blockFile),
              reader: nameQuery,
              victim: nameQuery,
            },
            { additionalProperties: false },
          ),
          response: {
            200: listOf(Type.Object({ ...blockRow, last_seen_at: Type.String({ format: 'date-time' }) }), {
              evidence: Type.Enum(['windows', 'lock_word'], {
                description:
                  'What the shares rest on. windows: overlap with the time from the grant of the lock to the end of a ' +
                  'read(); lock_word: who held the lock, by its own word, when the wait began (without retries there ' +
                  'are no windows). Real holds: POST /api/v1/inspect.',
              }),
            }),
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
        const describe = (entry: BlockEntry) => ({
          ...describeBlock(entry, view),
          last_seen_at: isoTime(view, entry.lastSeenAt),
        });
        const evidence = view.plan().observables.retries.observed
          ? ('windows' as const)
          : ('lock_word' as const);
        return { evidence, ...pageOf(entries, query, { order, describe, view, complete }) };
      },
    );
  };
