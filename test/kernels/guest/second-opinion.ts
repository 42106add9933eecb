/**
 * Scenarios that are held against an independent program, which shares nothing with the daemon. They have one program
 * for all of them: a start of bpftrace takes an emulator ten seconds.
 */
import type { WitnessMaps } from '../../live/support/workload.js';
import type { TriedAgain } from '../../support/timing.js';
import { timed, timedWitness } from './parts.js';
import { timely } from './timely.js';

export interface Scenario {
  readonly name: string;
  /** For bpftrace, with maps that no other scenario has; empty where it needs none. */
  readonly probes: string;
  /** Gives what judges it by what the program has seen in the end. */
  readonly play: () => Promise<(maps: WitnessMaps) => void>;
  /** Where it is judged by a time or a ratio. */
  readonly triedAgain?: TriedAgain;
}

/** Plays them one after the other; gives what judges each. */
const playAll = async (scenarios: readonly Scenario[]): Promise<(() => void)[]> => {
  const text = scenarios.map(({ probes }) => probes).join('\n');
  const second = text.trim() === '' ? undefined : await timedWitness(text);
  const judges = [];
  for (const { name, play } of scenarios) judges.push(await timed(name, play));
  const maps = (await second?.stop()) ?? {};
  return judges.map((judge) => () => judge(maps));
};

/** Plays and judges them; one that may be tried again is then played alone. */
export const withSecondOpinion = async (scenarios: readonly Scenario[]): Promise<void> => {
  const judges = await playAll(scenarios);
  for (const [index, scenario] of scenarios.entries()) {
    let judge = judges[index];
    if (scenario.triedAgain === undefined) judge?.();
    else
      await timely(scenario.triedAgain, async () => {
        judge ??= (await playAll([scenario]))[0];
        const judgeNow = judge;
        judge = undefined;
        judgeNow?.();
      });
  }
};
