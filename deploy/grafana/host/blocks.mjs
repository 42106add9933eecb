/** Which readers make others wait on this host, and whom. */
import { pageShare, percent, ticketShare, writersBlocked } from '../limits.mjs';
import { heat } from '../panels/heat.mjs';
import { lines } from '../panels/lines.mjs';
import { table } from '../panels/table.mjs';
import { onHost, toReader } from '../selectors.mjs';

const pairs = `${onHost}, reader=~"$reader", victim=~"$process"`;

export const blocks = {
  title: 'Who makes them wait',
  panels: [
    table('Blocks, reader by victim', {
      says: 'Which reader made which process wait, within "Sums over". `~unknown`: the part of such waits that no reader can be shown to own, as when the lock was free and the waiter not yet awake. Click a reader to see it across the fleet. A pair that is new counts from its second scrape.',
      labels: {
        reader: { title: 'Reader', link: toReader },
        file: { title: 'File' },
        victim: { title: 'Victim' },
      },
      values: [
        {
          title: 'Thread-seconds',
          unit: 's',
          expr: `topk(25, sum by (reader, file, victim) (increase(mmaplock_reader_block_seconds_total{${pairs}}[$window])) > 0)`,
        },
        {
          title: 'Blocks',
          unit: 'short',
          expr: `topk(25, sum by (reader, file, victim) (increase(mmaplock_reader_blocks_total{${pairs}}[$window])) > 0)`,
        },
      ],
    }),
    lines('Threads behind readers, reader by victim', {
      says: 'The ten pairs that cost most: how many threads of the victim stand behind the reader, on average. Peaks at regular distances are an agent that reads on a schedule: the distance is its interval. More than ten lines: the ten were not the same all the time.',
      unit: 'short',
      queries: [
        [
          '{{reader}} ({{file}}) blocks {{victim}}',
          `topk(10, sum by (reader, file, victim) (rate(mmaplock_reader_block_seconds_total{${pairs}}[$__rate_interval])) > 0)`,
        ],
      ],
      height: 10,
    }),
    lines('Share of the time in which writers are blocked', {
      says: `Share of wall time in which a writer of some process stood behind a reader of that file. However many of its threads wait, a second counts once, so this is how long a process stands, not how much capacity is lost. Lines: ${percent(ticketShare)} for an hour is a ticket; ${percent(pageShare)} is worth a page.`,
      unit: 'percentunit',
      limits: writersBlocked,
      queries: [
        [
          '{{file}}',
          `sum by (file) (rate(mmaplock_writers_blocked_time_seconds_total{${onHost}}[$__rate_interval]))`,
        ],
      ],
    }),
    lines('Blocked and unblocked waits', {
      says: 'All waiting threads in two parts: behind readers of proc files, and behind nobody of them (threads of one process among themselves). Where the second part is all, no agent is to blame: look at the process. Together they are all waits, to the nanosecond.',
      unit: 'short',
      stack: true,
      queries: [
        ['behind readers', `sum(rate(mmaplock_block_seconds_total{${onHost}}[$__rate_interval]))`],
        [
          'unblocked, to {{mode}}',
          `sum by (mode) (rate(mmaplock_unblocked_wait_seconds_total{${onHost}}[$__rate_interval]))`,
        ],
      ],
    }),
    heat('Block duration', {
      says: 'How long waits spent behind one reader, over time; all files. The more a cell stands out from the background, the more blocks a second. It shows how long a reader holds the lock: under `mmap_lock` a band of milliseconds that grows with the address space, under `per_vma_lock` one near the bottom. Far above its own band: a reader that lost its CPU while it held the lock.',
      expr: `sum by (le) (rate(mmaplock_block_duration_seconds_bucket{${onHost}}[$__rate_interval]))`,
      height: 8,
    }),
    lines('Convoys, by victim', {
      says: 'How many threads queue behind a writer that stands behind a reader: page faults above all, by process. When this is much more than the threads behind readers, one short read stops many threads.',
      unit: 'short',
      queries: [
        [
          '{{victim}}',
          `sum by (victim) (rate(mmaplock_victim_convoy_wait_seconds_total{${onHost}, victim=~"$process"}[$__rate_interval])) > 0`,
        ],
        ['all', `sum(rate(mmaplock_convoy_wait_seconds_total{${onHost}}[$__rate_interval]))`],
      ],
    }),
    lines('Incidents', {
      says: 'Incidents opened, by the file of the first reader with a part in it; `none`: no reader was found, and the process stood for reasons of its own. They are the marks on all graphs of this dashboard. Suppressed: long waits that were not told one by one, for others were at that moment.',
      unit: 'short',
      queries: [
        ['{{file}}', `sum by (file) (increase(mmaplock_incidents_total{${onHost}}[$__rate_interval]))`],
        ['suppressed stalls', `increase(mmaplock_stalls_suppressed_total{${onHost}}[$__rate_interval])`],
        ['not kept: {{reason}}', `increase(mmaplock_incident_losses_total{${onHost}}[$__rate_interval]) > 0`],
      ],
    }),
    lines('VMA waits, by victim', {
      says: 'How many writers sleep for the readers of one VMA while they hold mmap_lock already (Linux 6.15 and later, `--vma-waits on`). Not among the waits; what queues behind such a writer is. No data: not observed, which is the default.',
      unit: 'short',
      queries: [
        [
          '{{victim}}',
          `sum by (victim) (rate(mmaplock_victim_vma_wait_seconds_total{${onHost}, victim=~"$process"}[$__rate_interval]))`,
        ],
        ['all', `sum(rate(mmaplock_vma_wait_seconds_total{${onHost}}[$__rate_interval]))`],
      ],
    }),
  ],
};
