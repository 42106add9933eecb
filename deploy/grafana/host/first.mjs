/** The first line of a host: is it seen, and does anybody stand. */
import { oldestWait, percent, ticketShare, writersBlocked } from '../limits.mjs';
import { figure } from '../panels/figures.mjs';
import { onHost } from '../selectors.mjs';

export const first = {
  panels: [
    figure('Kernel', {
      says: 'The kernel release of this host. It decides how readers of proc files are served: see "How this kernel serves proc files".',
      unit: 'none',
      legend: '{{release}}',
      named: true,
      expr: `mmaplock_kernel_info{${onHost}}`,
      width: 5,
    }),
    figure('Tracer', {
      says: 'Whether bpftrace runs with all its probes attached. Blind: nothing is observed, and all panels but those at the bottom show no data. "No data" here: Prometheus does not reach the daemon.',
      unit: 'none',
      words: { 0: { text: 'blind', color: 'red' }, 1: { text: 'observes', color: 'green' } },
      expr: `mmaplock_tracer_up{${onHost}}`,
      width: 3,
    }),
    figure('Writers blocked', {
      says: `Share of the time in which a writer (mmap, munmap, mprotect) stood behind a reader of a proc file. Alerts: a ticket from ${percent(ticketShare)} for an hour. Processes that are blocked at the same time count each, so that it can exceed 100 %.`,
      unit: 'percentunit',
      limits: writersBlocked,
      expr: `sum(rate(mmaplock_writers_blocked_time_seconds_total{${onHost}}[$__rate_interval]))`,
    }),
    figure('Threads waiting', {
      says: 'How many threads wait for an mmap_lock on average, whoever is in the way.',
      unit: 'short',
      expr: `sum(rate(mmaplock_wait_seconds_total{${onHost}}[$__rate_interval]))`,
    }),
    figure('Oldest wait', {
      says: 'The longest wait that still goes on. All totals grow only when a wait ends: this is the one figure that shows a process that stands still right now.',
      unit: 's',
      limits: oldestWait,
      expr: `max(mmaplock_oldest_wait_seconds{${onHost}})`,
    }),
    figure('Incidents', {
      says: 'Stalls over the threshold (50 ms, unless configured) that were opened within "Sums over". Who stalled whom: `/api/v1/incidents` of this host, or its log.',
      unit: 'short',
      expr: `sum(increase(mmaplock_incidents_total{${onHost}}[$window]))`,
    }),
  ],
};
