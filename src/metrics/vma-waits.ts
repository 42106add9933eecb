/** VMA waits: the total, and the drill-down by victim, the process whose writer waited. */
import type { VmaWaitLedger } from '../ledger/vma-waits.js';
import type { Observable } from '../vocabulary.js';
import type { Family } from './family.js';

const what =
  'a writer that holds mmap_lock already sleeps until the readers of one VMA let go of it (Linux 6.15 and later)';
const apart =
  'It holds mmap_lock meanwhile, so that everybody else of its process who wants that lock queues behind it. This is ' +
  'not among mmaplock_wait_seconds_total; the waits of those behind it are.';

export const vmaWaitFamilies = (
  { total, victims }: VmaWaitLedger,
  observed: (what: Observable) => boolean,
): Family[] => {
  const counter = (name: string, help: string, samples: Family['samples']): Family => ({
    name: `mmaplock_${name}`,
    help,
    type: 'counter',
    samples: () => (observed('vma_waits') ? samples() : []),
  });
  return [
    counter(
      'vma_waits_total',
      `VMA waits that ended: ${what}. They are not among mmaplock_waits_total.`,
      () => [{ value: total.count }],
    ),
    counter('vma_wait_seconds_total', `Thread-seconds of VMA waits: ${what}. ${apart}`, () => [
      { value: total.nanoseconds / 1e9 },
    ]),
    counter(
      'victim_vma_wait_seconds_total',
      `Thread-seconds of VMA waits by process name of the writer. ${apart} ~other: names without a series of their own.`,
      () =>
        victims
          .series()
          .map(({ labels, totals: [, nanoseconds = 0] }) => ({ labels, value: nanoseconds / 1e9 })),
    ),
  ];
};
