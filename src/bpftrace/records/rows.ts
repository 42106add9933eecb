/** Maps of one tick, as rows with integer keys: what the meanings in wire-*.ts start from. */

/** The entries of one map: integer keys in order, and the value. */
export type MapRows = readonly { readonly key: readonly bigint[]; readonly value: number | bigint }[];

/** The entries of one map of tuples of integers. */
export type TupleRows = readonly { readonly key: readonly bigint[]; readonly value: readonly bigint[] }[];

/** The entries of one map of histograms. */
export type HistogramRows = readonly {
  readonly key: readonly bigint[];
  readonly value: readonly { readonly floorMicroseconds: number; readonly count: number }[];
}[];

/** Several maps as one: a row for each key that any of them has, with the value of each, 0 where it lacks the key. */
export const joinRows = (
  maps: readonly MapRows[],
): { readonly key: readonly bigint[]; readonly values: readonly number[] }[] => {
  const joined = new Map<string, { key: readonly bigint[]; values: number[] }>();
  for (const [index, rows] of maps.entries())
    for (const { key, value } of rows) {
      const text = key.join();
      const row = joined.get(text) ?? { key, values: maps.map(() => 0) };
      row.values[index] = Number(value);
      joined.set(text, row);
    }
  return [...joined.values()];
};
