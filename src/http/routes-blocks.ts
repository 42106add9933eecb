/** /api/v1/blocks. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { BlockEntry } from '../ledger/block-list.js';
import { procFiles, unknown } from '../vocabulary.js';
import type { DaemonView } from './context.js';
import { listOf, listQuery, pageOf, sinceFilter, sinceQuery } from './lists.js';
import { type Order, sortQuery } from './order.js';
import { identityOf, matches, nameQuery, nullable } from './rows.js';

const file = Type.Enum([...procFiles, unknown]);

const blockRow = Type.Object({
  file,
  reader: Type.String({ description: 'comm of the thread-group leader; ~unknown: no reader can be shown.' }),
  reader_cgroup_id: nullable('Null where the reader is ~unknown.'),
  reader_unit: nullable('systemd unit.'),
  reader_container_id: nullable('Container id.'),
  reader_pod_uid: nullable('Kubernetes pod UID.'),
  victim: Type.String({ description: 'The process that waited: comm of the thread-group leader.' }),
  victim_cgroup_id: Type.String(),
  victim_unit: nullable('systemd unit.'),
  victim_container_id: nullable('Container id.'),
  victim_pod_uid: nullable('Kubernetes pod UID.'),
  blocks_total: Type.Integer({ description: 'One wait counts once for each reader.' }),
  block_seconds_total: Type.Number({
    description: 'Thread-seconds the victim waited behind the reader, an estimate by overlap.',
  }),
  last_seen_at: Type.String({ format: 'date-time' }),
});

const nameOf = ({ reader }: BlockEntry): string => reader?.name ?? unknown;

const measure = (entry: BlockEntry) => ({
  file: entry.file,
  reader: nameOf(entry),
  victim: entry.victim.name,
  blocks_total: entry.count,
  block_seconds_total: entry.nanoseconds / 1e9,
  last_seen_at: new Date(entry.lastSeenAt).toISOString(),
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
              file: Type.Optional(file),
              reader: nameQuery,
              victim: nameQuery,
            },
            { additionalProperties: false },
          ),
          response: { 200: listOf(blockRow) },
        },
      },
      async ({ query }) => {
        const { blocks, asOf } = view.ledger;
        const isRecent = sinceFilter(query.since, view.now());
        const entries = blocks.list
          .entries()
          .filter(
            (entry) =>
              isRecent(entry.lastSeenAt) &&
              matches(query.file, entry.file) &&
              matches(query.reader, nameOf(entry)) &&
              matches(query.victim, entry.victim.name),
          );
        const complete = blocks.list.dropped === 0;
        return pageOf(entries, query, { order, describe: (entry) => describe(entry, view), asOf, complete });
      },
    );
  };

const describe = (entry: BlockEntry, view: DaemonView) => {
  const { reader, victim } = entry;
  const readerIdentity = identityOf(view, reader?.cgroupId, reader);
  const victimIdentity = identityOf(view, victim.cgroupId, victim);
  return {
    ...measure(entry),
    reader_cgroup_id: reader?.cgroupId ?? null,
    reader_unit: readerIdentity.unit,
    reader_container_id: readerIdentity.container_id,
    reader_pod_uid: readerIdentity.pod_uid,
    victim_cgroup_id: victim.cgroupId,
    victim_unit: victimIdentity.unit,
    victim_container_id: victimIdentity.container_id,
    victim_pod_uid: victimIdentity.pod_uid,
  };
};
