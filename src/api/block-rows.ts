/** Rows that say who made whom wait. */
import { Type } from 'typebox';
import { isoTime } from '../clock.js';
import type { BlockEntry } from '../ledger/lists/block-list.js';
import { procFiles, unknown } from '../vocabulary.js';
import type { Order } from './lists/order.js';
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

/** A row of the list of blocks. */
export const listedBlockRow = Type.Object({
  ...blockRow,
  last_seen_at: Type.String({ format: 'date-time' }),
});

const measure = (entry: BlockEntry) => ({
  file: entry.file,
  reader: readerName(entry),
  victim: entry.victim.name,
  blocks_total: entry.count,
  block_seconds_total: entry.nanoseconds / 1e9,
  last_seen_at: entry.lastSeenAt,
});

/** By what the list of blocks may be sorted. */
export const blockOrder: Order<BlockEntry, keyof ReturnType<typeof measure>> = {
  members: ['file', 'reader', 'victim', 'blocks_total', 'block_seconds_total', 'last_seen_at'],
  measure,
  key: ({ file, reader, victim }) =>
    JSON.stringify([file, reader?.name, reader?.cgroupId, victim.name, victim.cgroupId]),
  normally: '-block_seconds_total',
};

/** The row of the list of blocks. */
export const describeListedBlock = (entry: BlockEntry, view: DaemonView) => ({
  ...describeBlock(entry, view),
  last_seen_at: isoTime(view, entry.lastSeenAt),
});

/** What the shares of blocks rest on. */
export const blockEvidence = Type.Enum(['windows', 'lock_word'], {
  description:
    'What the shares rest on. windows: overlap with the time from the grant of the lock to the end of a ' +
    'read(); lock_word: who held the lock, by its own word, when the wait began (without retries there ' +
    'are no windows). Real holds: POST /api/v1/inspect.',
});

export const blockEvidenceOf = (view: Pick<DaemonView, 'plan'>) =>
  view.plan().observables.retries.observed ? ('windows' as const) : ('lock_word' as const);
