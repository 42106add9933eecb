/** Rows that say who made whom wait. */
import { Type } from 'typebox';
import type { BlockEntry } from '../ledger/lists/block-list.js';
import { procFiles, unknown } from '../vocabulary.js';
import { identityOf, nullable } from './rows.js';
import type { DaemonView } from './view.js';

export const blockFile = Type.Enum([...procFiles, unknown]);

/** Members of a row. */
export const blockRow = {
  file: blockFile,
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
    description:
      'Thread-seconds the victim waited behind the reader, by overlap: an estimate, but for those of inspect mode.',
  }),
};

export const readerName = ({ reader }: BlockEntry): string => reader?.name ?? unknown;

/** The row of an entry. */
export const describeBlock = (entry: BlockEntry, view: DaemonView) => {
  const { reader, victim } = entry;
  const readerIdentity = identityOf(view, reader?.cgroupId, reader);
  const victimIdentity = identityOf(view, victim.cgroupId, victim);
  return {
    file: entry.file,
    reader: readerName(entry),
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
  };
};
