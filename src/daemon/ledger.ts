/** The ledger of a daemon: bounded as the configuration says, its names told by what this host knows. */

import type { DaemonView } from '../api/view.js';
import type { Config } from '../config/schema.js';
import type { HistoryOptions } from '../ledger/history.js';
import { Ledger } from '../ledger/ledger.js';
import type { HostSurvey } from '../survey/survey.js';

/** Rows by name that a tick carries at most of each map: what the fragments print of them, held equal by a test. */
export const nameRowLimit = 500;

export interface LedgerSources {
  /** What this host offers, as it is known now. */
  readonly survey: () => Pick<HostSurvey, 'plan' | 'lockPaths'>;
  /** That can overflow; `unknown` where it cannot be told which did. */
  readonly maps: readonly string[];
  readonly cgroup: DaemonView['cgroup'];
  /** Undefined where the pids that probes see are not those of this namespace. */
  readonly processName: ((pid: number) => string | undefined) | undefined;
  readonly history?: HistoryOptions | undefined;
  /** Milliseconds by which the time of day is ahead of the times of records now. */
  readonly ahead: () => number;
}

export const ledgerFor = (config: Config, sources: LedgerSources): Ledger => {
  const { survey, maps, cgroup, processName, history, ahead } = sources;
  const label = (name: string, cgroupId: string, pid?: number): string =>
    (config.metrics.name_by === 'unit' ? cgroup(cgroupId, { name, pid })?.unit : undefined) ?? name;
  const labelOfPid = (pid: number): string | undefined => {
    const name = processName?.(pid);
    return name === undefined ? undefined : label(name, '0', pid);
  };
  return new Ledger({
    maps,
    readerSlots: config.metrics.reader_slots,
    blockSlots: config.metrics.block_slots,
    blocksObserved: () => survey().plan.observables.blocks.observed,
    incidents: {
      waitNanoseconds: config.incidents.wait_ms * 1e6,
      quietMilliseconds: config.incidents.quiet_seconds * 1000,
      kept: config.incidents.keep,
      lockPath: (file) => survey().lockPaths.find((served) => served.file === file)?.path,
      lookedFor: () => {
        const { blocks, retries } = survey().plan.observables;
        if (!blocks.observed) return 'nothing';
        return retries.observed ? 'windows' : 'lock_word';
      },
      processName: (pid) => {
        const name = processName?.(pid);
        return name === undefined ? undefined : { name, cgroupId: '0' };
      },
      ahead,
      identify: cgroup,
    },
    waits: { slots: config.metrics.process_slots, rowLimit: nameRowLimit, label },
    watched: {
      names: config.metrics.watched_victims,
      labelOfPid: processName === undefined ? undefined : labelOfPid,
    },
    history,
  });
};
