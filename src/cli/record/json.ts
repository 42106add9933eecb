/** A recording as one JSON object: the figures under the names of the API. What is not observed is null, never 0. */

import { describeIncidentFully } from '../../api/incident-rows.js';
import { statusOf } from '../../api/status.js';
import { isoTime } from '../../clock.js';
import { durationBuckets } from '../../ledger/durations.js';
import { isShown } from '../../metrics/proc-files.js';
import { limitsOf } from '../../probes/limits.js';
import type { Observable } from '../../vocabulary.js';
import type { ApiLists } from './lists.js';
import { observedSeconds, type Recording } from './recording.js';

export type RecordJson = ReturnType<typeof recordJson>;

/** @param lists as the API gave them at the end of the recording */
export const recordJson = (recording: Recording, { ongoing, ...lists }: ApiLists) => {
  const { view, startedAt, endedAt, gaps, incidents } = recording;
  const { ledger } = view;
  const plan = view.plan();
  const { kernel, lock_paths, observables, tracer } = statusOf(view);
  const ifObserved = <Value>(value: Value, ...by: readonly Observable[]): Value | null =>
    by.some((what) => plan.observables[what].observed) ? value : null;
  return {
    /** Version of this format; members are only added. */
    v: 1,
    version: view.version,
    started_at: isoTime(view, startedAt),
    ended_at: isoTime(view, endedAt),
    observed_seconds: observedSeconds(recording),
    gaps,
    host: { kernel, lock_paths },
    observables,
    limits: limitsOf(plan),
    waits: { ...lists.waits, ongoing, durations: durationsOf(ledger.waits.durations) },
    processes: lists.processes,
    readers: ifObserved(lists.readers, 'opens', 'reads'),
    blocks: ifObserved(lists.blocks, 'blocks'),
    writers_blocked_time: ifObserved(
      [...ledger.blockedTime.files]
        .filter(([file, nanoseconds]) => isShown('blocks', file, nanoseconds, plan))
        .map(([file, nanoseconds]) => ({ file, writers_blocked_time_seconds_total: nanoseconds / 1e9 })),
      'blocked_time',
    ),
    convoys: ifObserved(
      {
        convoy_waits_total: ledger.convoys.total.count,
        convoy_wait_seconds_total: ledger.convoys.total.nanoseconds / 1e9,
      },
      'convoys',
    ),
    vma_waits: ifObserved(
      {
        vma_waits_total: ledger.vmaWaits.total.count,
        vma_wait_seconds_total: ledger.vmaWaits.total.nanoseconds / 1e9,
      },
      'vma_waits',
    ),
    incidents: {
      data: incidents.map((incident) => describeIncidentFully(incident, view)),
      complete: ledger.incidents.dropped === 0 && ledger.incidents.notOpened === 0,
    },
    lost_events_total: tracer.lost_events_total,
    lost_updates: tracer.lost_updates,
    decode_errors_total: tracer.decode_errors_total,
    map_overflows: tracer.map_overflows,
  };
};

/** How many waits took how long, by mode; without those of which there were none. */
const durationsOf = (durations: ReadonlyMap<string, readonly number[]>) =>
  [...durations].flatMap(([mode, buckets]) =>
    buckets.flatMap((waits, index) => {
      if (waits === 0) return [];
      const upper = 2 ** (index + durationBuckets.firstExponent) / 1e6;
      const isLast = index > durationBuckets.lastExponent - durationBuckets.firstExponent;
      return [
        {
          mode,
          from_seconds: index === 0 ? 0 : upper / 2,
          to_seconds: isLast ? null : upper,
          waits_total: waits,
        },
      ];
    }),
  );
