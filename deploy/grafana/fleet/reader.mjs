/** One reader across the fleet: where it reads, whom it blocks. */
import { lines } from '../panels/lines.mjs';
import { table } from '../panels/table.mjs';
import { inFleet, toHost } from '../selectors.mjs';

const its = `${inFleet}, reader=~"$reader"`;

export const reader = {
  title: 'One reader across the fleet: $reader',
  panels: [
    table('Whom it blocks', {
      says: 'Victims of the reader picked above, by the thread-seconds they stood behind it within "Sums over". Blocks counts waits: many and few seconds are short waits, few and many seconds are stalls.',
      labels: { reader: { title: 'Reader' }, file: { title: 'File' }, victim: { title: 'Victim' } },
      values: [
        {
          title: 'Thread-seconds',
          unit: 's',
          expr: `topk(25, sum by (reader, file, victim) (increase(mmaplock_reader_block_seconds_total{${its}}[$window])) > 0)`,
        },
        {
          title: 'Blocks',
          unit: 'short',
          expr: `topk(25, sum by (reader, file, victim) (increase(mmaplock_reader_blocks_total{${its}}[$window])) > 0)`,
        },
      ],
    }),
    table('On which hosts', {
      says: 'Hosts where the reader picked above costs others most, with what it reads there. The same reads and no seconds on a host: its kernel serves the file without mmap_lock, or nobody maps memory there. Click a host for details.',
      labels: { instance: { title: 'Host', link: toHost }, cluster: { title: 'Cluster' } },
      values: [
        {
          title: 'Thread-seconds',
          unit: 's',
          expr: `topk(25, sum by (cluster, instance) (increase(mmaplock_reader_block_seconds_total{${its}}[$window])))`,
        },
        {
          title: 'Reads',
          unit: 'short',
          expr: `topk(25, sum by (cluster, instance) (increase(mmaplock_reader_reads_total{${its}}[$window])))`,
        },
      ],
    }),
    lines('Threads behind it', {
      says: 'How many threads stand behind this reader on average, by file. It should fall when its interval is raised, the file is left out or the kernel upgraded: a change of its configuration shows here.',
      unit: 'short',
      queries: [
        ['{{file}}', `sum by (file) (rate(mmaplock_reader_block_seconds_total{${its}}[$__rate_interval]))`],
      ],
      width: 8,
    }),
    lines('Its reads', {
      says: 'read() calls of this reader a second, by file. A pass over a large address space is many reads. Steps are a new version or setting of the agent.',
      unit: 'cps',
      queries: [['{{file}}', `sum by (file) (rate(mmaplock_reader_reads_total{${its}}[$__rate_interval]))`]],
      width: 8,
    }),
    lines('What it pays itself', {
      says: 'Retries a second: it had to look again. Fallbacks a second: it gave up and held mmap_lock for the rest of that read(), as on an old kernel. Threads waiting: of its own threads, how many wait for the lock of a target on average. High values mean that its targets change all the time, and that it reads slowly.',
      unit: 'short',
      queries: [
        [
          'retries of {{file}}',
          `sum by (file) (rate(mmaplock_reader_retries_total{${its}}[$__rate_interval]))`,
        ],
        [
          'fallbacks of {{file}}',
          `sum by (file) (rate(mmaplock_reader_fallbacks_total{${its}}[$__rate_interval]))`,
        ],
        [
          'threads waiting, {{file}}',
          `sum by (file) (rate(mmaplock_reader_wait_seconds_total{${its}}[$__rate_interval]))`,
        ],
      ],
      width: 8,
    }),
  ],
};
