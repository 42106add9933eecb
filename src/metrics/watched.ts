/** Victims that the operator named, to be paged for: bounded, and there at 0 from the first scrape. */
import type { WatchedLedger } from '../ledger/watched.js';
import type { ProbePlan } from '../probes/plan.js';
import { tellsBlockedByName } from '../probes/watched.js';
import type { Observable } from '../vocabulary.js';
import type { Family } from './family.js';

export interface WatchedSources {
  readonly watched: WatchedLedger;
  readonly plan: () => ProbePlan;
  /** Planned, and a tracer has reported. */
  readonly observed: (what: Observable) => boolean;
}

const named = 'Only of the names in metrics.watched_victims.';

export const watchedFamilies = ({ watched, plan, observed }: WatchedSources): Family[] => [
  {
    name: 'mmaplock_watched_oldest_wait_seconds',
    help:
      'The longest wait for an mmap_lock by a process of this name still going on at the last tick, in whichever mode; 0 ' +
      `when none of them waits. ${named}`,
    type: 'gauge',
    samples: () =>
      observed('waits')
        ? Array.from(watched.oldest ?? [], ([victim, value]) => ({ labels: { victim }, value }))
        : [],
  },
  {
    name: 'mmaplock_watched_writers_blocked_time_seconds_total',
    help:
      'Wall time in which at least one writer of a process of this name stood behind a reader of a file of /proc/PID: ' +
      'however many of its threads wait, a second counts once. Several processes of the name blocked at the same time ' +
      `count each, so that it can grow by more than a second a second. Counted when a wait ends. ${named}`,
    type: 'counter',
    samples: () =>
      observed('blocked_time') && tellsBlockedByName(plan())
        ? Array.from(watched.blocked, ([victim, nanoseconds]) => ({
            labels: { victim },
            value: nanoseconds / 1e9,
          }))
        : [],
  },
];
