/**
 * The lag of the event loop, by the names of prom-client, which watches it each 10 ms: that is 0.6 to 0.9 % of a core, more
 * than all the rest of an idle daemon, and each of its figures has those 10 ms in it.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Family } from './family.js';

/** Milliseconds between two looks at the event loop: what holds it longer is always seen. */
const usualLookMilliseconds = 1000;

const gauge = (name: string, help: string, value: () => number): Family => ({
  name,
  help,
  type: 'gauge',
  samples: () => [{ value: value() }],
});

/** How much later than due the event loop came to a timer, since the rendering before; its first look is lost by that. */
export const lagFamilies = (lookMilliseconds = usualLookMilliseconds): Family[] => {
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
