/** Maps of one tick, as rows with integer keys: what the meanings in wire-*.ts start from. */

/** The entries of one map: integer keys in order, and the value. */
export type MapRows = readonly { readonly key: readonly bigint[]; readonly value: number | bigint }[];

/** The entries of one map of histograms. */
export type HistogramRows = readonly {
  readonly key: readonly bigint[];
  readonly value: readonly { readonly floorMicroseconds: number; readonly count: number }[];
}[];
