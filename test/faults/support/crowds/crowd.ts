/** A host on which more names do something than have series: /metrics is as large as it gets. */
import type { TracerRecord } from '../../../../src/records.js';
import { procFiles, waitPairs } from '../../../../src/vocabulary.js';
import {
  blockRow,
  processRow,
  procFileRow,
  readerBlockRow,
  readerRow,
  tick,
  victimVmaWaitRow,
  waitRow,
} from '../../../support/records.js';

const nanoseconds = 20_000_000;
/** Each is a process that waits, a reader, and one half of a pair: more than there are slots for any of these. */
const names = 120;

/**
 * The nth tick: every total has grown by one event since the tick before.
 * @param at milliseconds since the epoch
 */
export const crowdedTick = (at: number, nth: number): TracerRecord => {
  const who = Array.from({ length: names }, (_, index) => index);
  const total = nth * nanoseconds;
  const amounts = (count: number) => ({
    opens: count,
    reads: 100 * count,
    retries: count,
    fallbacks: count,
    waits: count,
    waitNanoseconds: count * nanoseconds,
  });
  const buckets = Array.from({ length: 20 }, (_, power) => ({
    floorMicroseconds: 2 ** (power + 4),
    count: nth,
  }));
  return tick(at, {
    waits: waitPairs.map(([mode, operation]) => waitRow(mode, operation, nth, total)),
    durations: (['read', 'write'] as const).map((mode) => ({ mode, buckets })),
    processes: who.map((index) =>
      processRow(`process-${index}`, index % 2 === 0 ? 'read' : 'write', nth, total, {
        cgroupId: String(index),
      }),
    ),
    procFiles: procFiles.map((file) => procFileRow(file, amounts(nth * names))),
    readers: who.map((index) =>
      readerRow(`reader-${index}`, procFiles[index % procFiles.length]!, amounts(nth)),
    ),
    blocks: procFiles.map((file) => blockRow(file, nth * names, names * total)),
    blockDurations: procFiles.map((file) => ({ file, buckets })),
    readerBlocks: who.map((index) =>
      readerBlockRow(`reader-${index}`, `process-${index}`, procFiles[index % procFiles.length], nth, total),
    ),
    vmaWaits: { count: nth * names, nanoseconds: names * total },
    victimVmaWaits: who.map((index) => victimVmaWaitRow(`process-${index}`, nth, total)),
    convoys: { count: nth * names, nanoseconds: names * total },
    victimConvoys: who.map((index) => victimVmaWaitRow(`process-${index}`, nth, total)),
    writersBlocked: procFiles.map((file) => ({ file, nanoseconds: total })),
  });
};
