/** Scrapes all the time, as a Prometheus in a hurry, and holds each scrape against all before it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Metrics, RunningDaemon } from '../../live/support/daemon.js';

export interface Scrape {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly up: boolean;
  /** Milliseconds since the epoch. */
  readonly lastTick: number;
  /** Ends of a tracer so far, for whatever reason. */
  readonly restarts: number;
  readonly metrics: Metrics;
}

export interface Scrapes {
  readonly count: () => number;
  readonly counters: () => number;
  /** What went down, and when: `name{labels}: from to`. */
  readonly wentDown: readonly string[];
  /** The first scrape from now on for which this holds. */
  next(holds: (scrape: Scrape) => boolean, what: string, seconds: number): Promise<Scrape>;
  /** @throws what a scrape failed with */
  stop(): Promise<void>;
}

/** The sample names of all counters, and of what histograms count. */
const counterNames = (text: string): Set<string> =>
  new Set(
    Array.from(text.matchAll(/^# TYPE (\w+) (counter|histogram)$/gm), ([, name, type]) =>
      type === 'counter' ? [name] : [`${name}_bucket`, `${name}_sum`, `${name}_count`],
    ).flat() as string[],
  );

/** Begins to scrape every `milliseconds`. A series that was gone for a while must not come back with less, either. */
export const watchScrapes = (daemon: RunningDaemon, milliseconds: number): Scrapes => {
  const highest = new Map<string, number>();
  const wentDown: string[] = [];
  let listeners: ((scrape: Scrape) => void)[] = [];
  let count = 0;
  let stopped = false;

  const hold = ({ text, samples }: Metrics): void => {
    const counters = counterNames(text);
    for (const { name, labels, value } of samples) {
      if (!counters.has(name)) continue;
      const key = name + JSON.stringify(labels);
      const before = highest.get(key) ?? 0;
      if (value < before) wentDown.push(`${key}: from ${before} to ${value}`);
      highest.set(key, Math.max(value, before));
    }
  };
  const loop = (async () => {
    while (!stopped) {
      const metrics = await daemon.metrics();
      hold(metrics);
      count += 1;
      const sum = (name: string): number => metrics.sum(name) ?? 0;
      const scrape: Scrape = {
        at: Date.now(),
        up: sum('mmaplock_tracer_up') === 1,
        lastTick: sum('mmaplock_last_tick_timestamp_seconds') * 1000,
        restarts: sum('mmaplock_tracer_restarts_total'),
        metrics,
      };
      for (const listener of listeners) listener(scrape);
      await sleep(milliseconds);
    }
  })();
  loop.catch(() => {});

  return {
    count: () => count,
    counters: () => highest.size,
    wentDown,
    async next(holds, what, seconds) {
      let last: Scrape | undefined;
      const found = new Promise<Scrape>((resolve) => {
        listeners.push((scrape) => {
          last = scrape;
          if (holds(scrape)) resolve(scrape);
        });
      });
      const abort = new AbortController();
      const late = sleep(seconds * 1000, undefined, { signal: abort.signal }).then(() => {
        const { metrics: _, ...seen } = last ?? { metrics: undefined };
        throw new Error(`not within ${seconds} s: ${what}; last seen: ${JSON.stringify(seen)}`);
      });
      late.catch(() => {});
      try {
        return await Promise.race([found, late, loop.then(() => found)]);
      } finally {
        abort.abort();
        listeners = [];
      }
    },
    async stop() {
      stopped = true;
      await loop;
    },
  };
};
