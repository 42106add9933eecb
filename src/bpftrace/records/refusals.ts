/** What it means that a helper of the kernel refused what a probe asked of it. */
import { constants } from 'node:os';
import type { TracerRecord } from '../../records.js';
import type { UpdateLoss } from '../../vocabulary.js';
import type { HelperErrorLine } from '../decode/messages.js';

const { E2BIG, EBUSY, EDEADLK, ENOENT, ENOMEM, ETIMEDOUT } = constants.errno;

/**
 * Of a hash map (kernel/bpf/hashtab.c): a lock that its own CPU held was EBUSY up to 6.14, by map_locked; since 6.15
 * such locks give up with EDEADLK or ETIMEDOUT (kernel/bpf/rqspinlock.c). None of these says that the map is full.
 */
const losses: ReadonlyMap<number, UpdateLoss> = new Map([
  [EBUSY, 'busy'],
  [EDEADLK, 'deadlock'],
  [ETIMEDOUT, 'timeout'],
  [ENOMEM, 'no_memory'],
]);

/** @param map that the program changes there */
export const refusalOf = (
  { helper, status }: Pick<HelperErrorLine, 'helper' | 'status'>,
  map: string,
  at: number,
): TracerRecord[] => {
  const deletes = helper === 'map_delete_elem';
  if (!deletes && helper !== 'map_update_elem')
    return [{ kind: 'undecodable', at, reason: `${helper} returned ${status}` }];
  // With -k even the deletion of what is not there shows; nothing is lost by it.
  if (deletes && status === -ENOENT) return [];
  if (!deletes && status === -E2BIG) return [{ kind: 'map_overflow', at, map, updates: 1 }];
  return [{ kind: 'events_lost', at, events: 1, reason: losses.get(-status) ?? 'other', map, status }];
};
