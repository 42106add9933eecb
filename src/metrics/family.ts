/**
 * Metric families whose values are kept elsewhere and only read when rendered. prom-client's own counters and
 * histograms can only be incremented and observed; what bpftrace hands over is aggregated already.
 */
import type { MetricObject, Registry } from 'prom-client';

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

/** Registers a family; its samples are read at every render. */
export const register = (registry: Registry, { name, help, type, samples }: Family): void => {
  const metric = {
    name,
    help,
    type,
    aggregator: 'sum',
    get: async () => ({
      name,
      help,
      type,
      aggregator: 'sum',
      values: Array.from(samples(), ({ labels = {}, value, suffix }) => ({
        labels,
        value,
        ...(suffix === undefined ? {} : { metricName: name + suffix }),
      })),
    }),
    reset: () => {},
  };
  // The types ask for a class instance; the registry itself only calls get() and reads name, help and type.
  registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0] & MetricObject);
};

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
