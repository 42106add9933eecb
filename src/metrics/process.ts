/**
 * What the daemon itself takes, by the names that clients of Prometheus have for it in every language, and the lag of
 * its event loop. prom-client has the same, but watches the event loop each 10 ms, which is 0.6 to 0.9 % of a core: more
 * than all the rest of an idle daemon.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Family } from './family.js';

/** Milliseconds between two looks at the event loop: what holds it longer is always seen. */
const lookMilliseconds = 250;

const gauge = (name: string, help: string, value: () => number | undefined): Family => ({
  name,
  help,
  type: 'gauge',
  samples: () => {
    const found = value();
    return found === undefined ? [] : [{ value: found }];
  },
});

const cpu = (name: string, help: string, microseconds: () => number): Family => ({
  name,
  help,
  type: 'counter',
  samples: () => [{ value: microseconds() / 1e6 }],
});

/** @param root where proc is mounted. What cannot be read there is left out. */
export const processFamilies = (root = '/proc'): Family[] => {
  const self = `${root}/self`;
  const kibibytes = (field: string): number | undefined => {
    const found = new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(readText(`${self}/status`))?.[1];
    return found === undefined ? undefined : Number(found) * 1024;
  };
  // In milliseconds since the epoch, and never moved when the time of day is set.
  const { timeOrigin } = performance;
  return [
    cpu(
      'process_cpu_user_seconds_total',
      'CPU time of the daemon in user mode.',
      () => process.cpuUsage().user,
    ),
    cpu(
      'process_cpu_system_seconds_total',
      'CPU time of the daemon in the kernel.',
      () => process.cpuUsage().system,
    ),
    cpu('process_cpu_seconds_total', 'CPU time of the daemon; that of bpftrace is not in it.', () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    }),
    gauge('process_start_time_seconds', 'When the daemon started, in seconds since the epoch.', () =>
      Math.round(timeOrigin / 1000),
    ),
    gauge(
      'process_resident_memory_bytes',
      'Resident memory of the daemon; that of bpftrace is not in it.',
      () => kibibytes('VmRSS'),
    ),
    gauge('process_virtual_memory_bytes', 'Virtual memory of the daemon.', () => kibibytes('VmSize')),
    gauge('process_heap_bytes', 'Data segment of the daemon, most of it only reserved.', () =>
      kibibytes('VmData'),
    ),
    gauge('process_open_fds', 'Open file descriptors of the daemon.', () => countFiles(`${self}/fd`)),
    gauge('process_max_fds', 'File descriptors that the daemon may have open.', () => {
      const limit = /^Max open files\s+(\d+)/m.exec(readText(`${self}/limits`))?.[1];
      return limit === undefined ? undefined : Number(limit);
    }),
    ...lagFamilies(),
  ];
};

/** How much later than due the event loop came to a timer, since the rendering before; its first look is lost by that. */
const lagFamilies = (): Family[] => {
  const delays = monitorEventLoopDelay({ resolution: lookMilliseconds });
  delays.enable();
  // A delay is told with the time for which it was waited on purpose. Without any there is no mean.
  const late = (nanoseconds: number): number =>
    delays.count === 0 ? 0 : Math.max(0, nanoseconds / 1e9 - lookMilliseconds / 1000);
  const help = `How much later than due a timer of ${lookMilliseconds} ms came, since the scrape before:`;
  return [
    gauge('nodejs_eventloop_lag_seconds', `${help} the mean.`, () => late(delays.mean)),
    gauge('nodejs_eventloop_lag_p99_seconds', `${help} the 99th percentile.`, () => {
      const lag = late(delays.percentile(99));
      delays.reset();
      return lag;
    }),
  ];
};

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
};

/** The descriptor by which the folder is read is not counted. */
const countFiles = (folder: string): number | undefined => {
  try {
    return readdirSync(folder).length - 1;
  } catch {
    return undefined;
  }
};
