/** VMA waits and convoys: the total of each, and the drill-down by victim, the process that waited. */
import type { VictimLedger } from '../ledger/victims.js';
import type { Observable } from '../vocabulary.js';
import type { Family } from './family.js';

const what =
  'a writer that holds mmap_lock already sleeps until the readers of one VMA let go of it (Linux 6.15 and later)';
const apart =
  'It holds mmap_lock meanwhile, so that everybody else of its process who wants that lock queues behind it. This is ' +
  'not among mmaplock_wait_seconds_total; the waits of those behind it are.';

/** The seconds of a family by victim. */
const byVictim =
  ({ victims }: VictimLedger): Family['samples'] =>
  () =>
    victims.series().map(({ labels, totals: [, nanoseconds = 0] }) => ({ labels, value: nanoseconds / 1e9 }));

const other = '~other: names without a series of their own.';

const counterWhere =
  (what: Observable, observed: (what: Observable) => boolean) =>
  (name: string, help: string, samples: Family['samples']): Family => ({
    name: `mmaplock_${name}`,
    help,
    type: 'counter',
    samples: () => (observed(what) ? samples() : []),
  });

export const vmaWaitFamilies = (ledger: VictimLedger, observed: (what: Observable) => boolean): Family[] => {
  const counter = counterWhere('vma_waits', observed);
  return [
    counter(
      'vma_waits_total',
      `VMA waits that ended: ${what}. They are not among mmaplock_waits_total.`,
      () => [{ value: ledger.total.count }],
    ),
    counter('vma_wait_seconds_total', `Thread-seconds of VMA waits: ${what}. ${apart}`, () => [
      { value: ledger.total.nanoseconds / 1e9 },
    ]),
    counter(
      'victim_vma_wait_seconds_total',
      `Thread-seconds of VMA waits by process name of the writer. ${apart} ${other}`,
      byVictim(ledger),
    ),
  ];
};

const convoy =
  'a read wait, mostly a page fault, that queued because a writer of its process stood behind a reader of a file of ' +
  '/proc/PID';

export const convoyFamilies = (ledger: VictimLedger, observed: (what: Observable) => boolean): Family[] => {
  const counter = counterWhere('convoys', observed);
  return [
    counter(
      'convoy_waits_total',
      `Waits in a convoy that ended: ${convoy}. They are among mmaplock_waits_total.`,
      () => [{ value: ledger.total.count }],
    ),
    counter(
      'convoy_wait_seconds_total',
      `Thread-seconds of waits in a convoy: ${convoy}. They are among mmaplock_wait_seconds_total.`,
      () => [{ value: ledger.total.nanoseconds / 1e9 }],
    ),
    counter(
      'victim_convoy_wait_seconds_total',
      `Thread-seconds of waits in a convoy, by process name: ${convoy}. ${other}`,
      byVictim(ledger),
    ),
  ];
};
