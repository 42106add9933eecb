/** Metric families. Their values are kept elsewhere, and only read when a scrape is rendered. */

export interface Sample {
  readonly labels?: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** `_bucket`, `_sum` or `_count` of a histogram. */
  readonly suffix?: string;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** What is not observed gives no samples: it is absent, never a flat 0. */
  readonly samples: () => Iterable<Sample>;
}

/** The samples of a classic histogram from counts by bucket; the last count is that of the bucket without end. */
export const histogramSamples = (
  labels: Readonly<Record<string, string>>,
  bounds: readonly number[],
  counts: readonly number[],
  sum: number,
): Sample[] => {
  let cumulative = 0;
  const buckets = counts.map((count, index): Sample => {
    cumulative += count;
    return { labels: { ...labels, le: bounds[index] ?? '+Inf' }, value: cumulative, suffix: '_bucket' };
  });
  return [
    ...buckets,
    { labels, value: sum, suffix: '_sum' },
    { labels, value: cumulative, suffix: '_count' },
  ];
};
