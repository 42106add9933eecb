/** /api/v1/blocks. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { BlockEntry } from '../ledger/block-list.js';
import { procFiles, unknown } from '../vocabulary.js';
import type { DaemonView } from './context.js';
import { listOf, listQuery, pageOf, sinceQuery, sinceTime } from './lists.js';
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

export const blockRoutes =
  (view: DaemonView): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/v1/blocks',
      {
        schema: {
          summary: 'Which reader made whom wait, behind which file; most seconds first',
          querystring: Type.Object(
            {
              ...listQuery,
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
        const from = query.since === undefined ? 0 : sinceTime(query.since, view.now());
        const rows = blocks.list
          .entries()
          .filter(
            (entry) =>
              entry.lastSeenAt >= from &&
              matches(query.file, entry.file) &&
              matches(query.reader, nameOf(entry.reader)) &&
              matches(query.victim, entry.victim.name),
          )
          .sort((a, b) => b.nanoseconds - a.nanoseconds);
        const page = pageOf(rows, query, { asOf, complete: blocks.list.dropped === 0 });
        return { ...page, data: page.data.map((entry) => describe(entry, view)) };
      },
    );
  };

const nameOf = (reader: BlockEntry['reader']): string => reader?.name ?? unknown;

const describe = (entry: BlockEntry, view: DaemonView) => {
  const { reader, victim } = entry;
  const readerIdentity = identityOf(view, reader?.cgroupId);
  const victimIdentity = identityOf(view, victim.cgroupId);
  return {
    file: entry.file,
    reader: nameOf(reader),
    reader_cgroup_id: reader?.cgroupId ?? null,
    reader_unit: readerIdentity.unit,
    reader_container_id: readerIdentity.container_id,
    reader_pod_uid: readerIdentity.pod_uid,
    victim: victim.name,
    victim_cgroup_id: victim.cgroupId,
    victim_unit: victimIdentity.unit,
    victim_container_id: victimIdentity.container_id,
    victim_pod_uid: victimIdentity.pod_uid,
    blocks_total: entry.count,
    block_seconds_total: entry.nanoseconds / 1e9,
    last_seen_at: new Date(entry.lastSeenAt).toISOString(),
  };
};
