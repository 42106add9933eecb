/** Storms of retries, convoys, waits: load, and no fault of anybody. There is no alert on these. */
import { lines } from '../panels/lines.mjs';
import { table } from '../panels/table.mjs';
import { inFleet, toHost, toReader } from '../selectors.mjs';

export const storms = {
  title: 'Retry storms, convoys, waits',
  panels: [
    lines('Retries', {
      says: 'Retries a second over the fleet, by file: readers that met a change of the address space and took mmap_lock for a moment. A storm is a step by orders of magnitude; it slows the readers down, and blocks little. Which readers: the table beside it.',
      unit: 'cps',
      queries: [['{{file}}', `sum by (file) (instance_file:mmaplock_proc_read_retries:rate5m{${inFleet}})`]],
      width: 8,
      height: 9,
    }),
    table('Retries by reader', {
      says: 'Readers by their retries within "Sums over". Divide by its reads (click the reader) before you judge: an agent that reads ten times as often retries ten times as often.',
      labels: { reader: { title: 'Reader', link: toReader }, file: { title: 'File' } },
      values: [
        {
          title: 'Retries',
          unit: 'short',
          expr: `topk(15, sum by (reader, file) (increase(mmaplock_reader_retries_total{${inFleet}}[$window])) > 0)`,
        },
      ],
      width: 8,
      height: 9,
    }),
    table('Convoys by victim', {
      says: 'Processes whose read waits, page faults above all, queued because one of their writers stood behind a reader: the thread-seconds of these, within "Sums over". This is how one reader stops a whole process. Large here and small in "Worst victims": many threads, few writers.',
      labels: { victim: { title: 'Victim' } },
      values: [
        {
          title: 'Thread-seconds queued',
          unit: 's',
          expr: `topk(15, sum by (victim) (increase(mmaplock_victim_convoy_wait_seconds_total{${inFleet}}[$window])) > 0)`,
        },
      ],
      width: 8,
      height: 9,
    }),
    lines('Threads waiting for mmap_lock', {
      says: 'How many threads of the fleet wait for an mmap_lock on average, by how they want it, whoever is in the way. "Behind readers" is the part that readers of proc files cause, and "in convoys" what queued behind those writers; the rest is threads of one process among themselves, which its owner can mend and no agent is to blame for.',
      unit: 'short',
      queries: [
        ['to {{mode}}', `sum by (mode) (instance_mode:mmaplock_wait_seconds:rate5m{${inFleet}})`],
        ['behind readers', `sum(instance_file:mmaplock_block_seconds:rate5m{${inFleet}})`],
        ['in convoys', `sum(rate(mmaplock_convoy_wait_seconds_total{${inFleet}}[$__rate_interval]))`],
      ],
    }),
    table('Hosts with most waiting threads', {
      says: 'Hosts by how many threads wait for an mmap_lock on average, and how many waits there are a second. Many waits and few threads are short waits, which seldom hurt. Click a host for details.',
      labels: { instance: { title: 'Host', link: toHost }, cluster: { title: 'Cluster' } },
      values: [
        {
          title: 'Threads waiting',
          unit: 'short',
          expr: `topk(15, sum by (cluster, instance) (instance_mode:mmaplock_wait_seconds:rate5m{${inFleet}}))`,
        },
        {
          title: 'Waits',
          unit: 'cps',
          expr: `topk(15, sum by (cluster, instance) (instance_mode:mmaplock_waits:rate5m{${inFleet}}))`,
        },
      ],
      height: 8,
    }),
  ],
};
