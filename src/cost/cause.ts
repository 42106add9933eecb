/**
 * Whom the cost of probes is of: the cgroup and the user in whose context they run the most. Of waits these are those who
 * wait, whoever makes them wait.
 */

/** How often somebody made a probe run, in the same second as everybody. */
export interface Runs {
  readonly probe: string;
  readonly cgroupId: string;
  readonly uid: number;
  readonly count: number;
}

export interface Cause {
  /** The share of the cost, from 0 to 1, of the cgroup that has the largest, and which it is. */
  readonly cgroup: { readonly id: string; readonly share: number };
  readonly user: { readonly uid: number; readonly share: number };
}

/**
 * Who the cost is of; undefined where nothing ran.
 *
 * An estimate: a run counts the average of its probe, though some end at their first condition and others do not.
 * @param costs what each probe costs, in any unit
 */
export const causeOf = (runs: readonly Runs[], costs: ReadonlyMap<string, number>): Cause | undefined => {
  const all = sums(
    runs,
    ({ probe }) => probe,
    ({ count }) => count,
  );
  const costOf = ({ probe, count }: Runs): number =>
    ((costs.get(probe) ?? 0) * count) / (all.get(probe) ?? 1);
  const total = runs.reduce((sum, one) => sum + costOf(one), 0);
  if (total === 0) return undefined;
  const [cgroupId, ofCgroup] = largest(sums(runs, (one) => one.cgroupId, costOf));
  const [uid, ofUser] = largest(sums(runs, (one) => one.uid, costOf));
  return {
    cgroup: { id: cgroupId, share: ofCgroup / total },
    user: { uid, share: ofUser / total },
  };
};

const sums = <Key>(
  runs: readonly Runs[],
  keyOf: (runs: Runs) => Key,
  amountOf: (runs: Runs) => number,
): Map<Key, number> => {
  const found = new Map<Key, number>();
  for (const one of runs) found.set(keyOf(one), (found.get(keyOf(one)) ?? 0) + amountOf(one));
  return found;
};

const largest = <Key>(amounts: ReadonlyMap<Key, number>): readonly [Key, number] =>
  [...amounts].reduce((most, one) => (one[1] > most[1] ? one : most));
