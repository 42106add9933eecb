/** What the daemon does every some seconds, whatever happens: it looks at what the tracer costs, and at new cgroups. */
import type { Clock } from '../clock.js';
import type { CostAccount } from '../cost/account.js';
import { readTracerCost } from '../cost/tracer.js';
import { messageOf } from '../errors.js';
import type { CgroupIndex } from '../identity/cgroup.js';
import type { Log } from '../log/log.js';

export interface HouseKeepingOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly cost: CostAccount;
  readonly cgroups: Pick<CgroupIndex, 'refresh'>;
  /** Undefined while there is none. */
  readonly tracerPid: () => number | undefined;
  readonly probeNames: () => readonly string[];
}

const seconds = 10;

/** Does it at once, and again and again; gives what ends it. */
export const keepHouse = (options: HouseKeepingOptions): (() => void) => {
  const { clock, log, cost, cgroups, tracerPid, probeNames } = options;
  let cancel = (): void => {};
  const look = (): void => {
    const pid = tracerPid();
    cost.sample(pid, pid === undefined ? undefined : readTracerCost(pid), probeNames());
    cgroups.refresh().catch((error: unknown) => log.warn({ err: error }, `cgroups: ${messageOf(error)}`));
    cancel = clock.after(seconds * 1000, look);
  };
  look();
  return () => cancel();
};
