/** The switch of the kernel that tells what probes cost, and what a daemon gives up for it. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Metrics } from '../../live/support/daemon.js';
import { lacking } from '../../live/support/host.js';

const file = '/proc/sys/kernel/bpf_stats_enabled';
export const enabled = (): string => readFileSync(file, 'latin1').trim();
export const enable = (value: '0' | '1'): void => writeFileSync(file, `${value}\n`, { flag: 'r+' });

const writable = (): string | false => {
  try {
    enable(enabled() === '0' ? '0' : '1');
    return false;
  } catch (error) {
    return `kernel.bpf_stats_enabled cannot be set here: ${String(error)}`;
  }
};
const missing = lacking('root', 'tracing', 'bpftrace');

export const skipOfBudget = missing === false ? writable() : missing;

/** A sample every 2 s or so, of probes that may cost nothing worth mention. */
export const eager = ['--cost.over-seconds=4', '--cost.quiet-seconds=4'];

export const shed = (metrics: Metrics): string[] =>
  metrics
    .all('mmaplock_shed')
    .filter(({ value }) => value === 1)
    .map(({ labels }) => labels.what ?? '');
