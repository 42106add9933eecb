/** Who reads proc files on this host, how often, and at what price to itself. */
import { lines } from '../panels/lines.mjs';
import { matrix } from '../panels/table.mjs';
import { onHost } from '../selectors.mjs';

const its = `${onHost}, reader=~"$reader"`;
const path = `mmaplock_proc_file_lock_path_info{${onHost}}`;

/** The rate of a family by file, with the lock path of that file on this kernel. */
const withPath = (metric) =>
  `sum by (file, path) (rate(mmaplock_${metric}{${onHost}}[$__rate_interval]) * on (cluster, job, instance, file) group_left (path) ${path})`;

export const readers = {
  title: 'Who reads',
  panels: [
    lines('Reads, by reader', {
      says: 'read() calls a second of `/proc/PID/maps`, `smaps` and the like, by reader: the ten with most. A reader with many reads and no blocks is harmless on this kernel. More than ten lines: the ten were not the same all the time.',
      unit: 'cps',
      queries: [
        [
          '{{reader}} ({{file}})',
          `topk(10, sum by (reader, file) (rate(mmaplock_reader_reads_total{${its}}[$__rate_interval])) > 0)`,
        ],
      ],
    }),
    lines('Opens, by reader', {
      says: 'Opens of these files a second, by reader: the ten with most. An agent opens one file for each process it looks at: opens divided by processes is how often it comes by.',
      unit: 'cps',
      queries: [
        [
          '{{reader}} ({{file}})',
          `topk(10, sum by (reader, file) (rate(mmaplock_reader_opens_total{${its}}[$__rate_interval])) > 0)`,
        ],
      ],
    }),
    lines('Retries and fallbacks, by lock path', {
      says: 'Retries: a reader that works without mmap_lock had to take it for a moment, because the address space changed. Fallbacks: it gave up and held mmap_lock for the rest of that read(), so that it blocks as on an old kernel. A storm of retries slows readers down; fallbacks hurt others. Under `mmap_lock` both are 0: there is nothing to retry.',
      unit: 'cps',
      queries: [
        ['retries of {{file}} ({{path}})', withPath('proc_read_retries_total')],
        ['fallbacks of {{file}} ({{path}})', withPath('proc_read_fallbacks_total')],
      ],
    }),
    lines('Retries, by reader', {
      says: 'Retries a second, by reader: the ten with most. Compare with its reads: a reader that retries in each read meets a process that maps all the time.',
      unit: 'cps',
      queries: [
        [
          '{{reader}} ({{file}})',
          `topk(10, sum by (reader, file) (rate(mmaplock_reader_retries_total{${its}}[$__rate_interval])) > 0)`,
        ],
      ],
    }),
    lines('Readers that wait themselves', {
      says: 'The other direction: how many threads of a reader wait for the mmap_lock of another process, on average. `remote` is other access, as `cmdline`, `environ` and ptrace. A monitoring agent that hangs beside a process that writes shows here.',
      unit: 'short',
      queries: [
        [
          '{{reader}} ({{file}})',
          `topk(10, sum by (reader, file) (rate(mmaplock_reader_wait_seconds_total{${its}}[$__rate_interval])) > 0)`,
        ],
      ],
    }),
    matrix('How this kernel serves proc files', {
      says: 'The lock path of each file, marked by a 1. `mmap_lock`: a reader holds the lock, and blocks. `per_vma_lock`, `rcu_snapshot`: it works without, and retries. No line: the kernel has no such file, or it could not be told.',
      unit: 'none',
      down: 'file',
      across: 'path',
      expr: `max by (file, path) (${path})`,
    }),
  ],
};
