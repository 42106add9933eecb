/** Waits: the bounded families, and the drill-down by process. */

import { durationBuckets } from '../ledger/durations.js';
import type { WaitLedger } from '../ledger/waits.js';
import type { Observable } from '../vocabulary.js';
import { type Family, histogramSamples } from './family.js';

/** Upper bounds in seconds of the buckets of the ledger. */
export const durationBounds = Array.from(
  { length: durationBuckets.lastExponent - durationBuckets.firstExponent + 1 },
  (_, index) => 2 ** (durationBuckets.firstExponent + index) / 1e6,
);

const modes = ['read', 'write'] as const;

export const waitFamilies = (waits: WaitLedger, observed: (what: Observable) => boolean): Family[] => {
  const whenObserved =
    (samples: Family['samples']): Family['samples'] =>
    () =>
      observed('waits') ? samples() : [];
  const secondsOf = (mode: string): number =>
    [...waits.totals.values()].reduce(
      (sum, total) => (total.mode === mode ? sum + total.nanoseconds : sum),
      0,
    ) / 1e9;
  const totals = (value: 'count' | 'nanoseconds', scale: number): Family['samples'] =>
    whenObserved(() =>
      Array.from(waits.totals.values(), (total) => ({
        labels: { mode: total.mode, operation: total.operation },
        value: total[value] / scale,
      })),
    );
  const byProcess = (index: number, scale: number): Family['samples'] =>
    whenObserved(() =>
      waits.processes
        .series()
        .map(({ labels, totals: values }) => ({ labels, value: (values[index] ?? 0) / scale })),
    );

  return [
    {
      name: 'mmaplock_waits_total',
      help: 'Contended acquisitions of an mmap_lock that ended, by mode and what the waiter was doing.',
      type: 'counter',
      samples: totals('count', 1),
    },
    {
      name: 'mmaplock_wait_seconds_total',
      help: 'Thread-seconds spent waiting for an mmap_lock: 64 blocked threads add 64 s a second. Counted when a wait ends.',
      type: 'counter',
      samples: totals('nanoseconds', 1e9),
    },
    {
      name: 'mmaplock_wait_duration_seconds',
      help: 'How long waits for an mmap_lock took. Buckets are exact to the microsecond.',
      type: 'histogram',
      samples: whenObserved(() =>
        modes.flatMap((mode) =>
          histogramSamples({ mode }, durationBounds, waits.durations.get(mode) ?? [], secondsOf(mode)),
        ),
      ),
    },
    {
      name: 'mmaplock_oldest_wait_seconds',
      help: 'The longest wait for an mmap_lock still going on at the last tick, 0 when nobody waits.',
      type: 'gauge',
      samples: whenObserved(() => modes.map((mode) => ({ labels: { mode }, value: waits.oldest(mode) }))),
    },
    {
      name: 'mmaplock_process_waits_total',
      help: 'Waits by process name (comm of the thread-group leader). ~other: names without a series of their own.',
      type: 'counter',
      samples: byProcess(0, 1),
    },
    {
      name: 'mmaplock_process_wait_seconds_total',
      help: 'Thread-seconds spent waiting, by process name. ~other: names without a series of their own.',
      type: 'counter',
      samples: byProcess(1, 1e9),
    },
  ];
};
