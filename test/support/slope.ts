/** Whether something grows: a line through points of which some are far off. */

export interface Point {
  /** Seconds. */
  readonly at: number;
  readonly value: number;
}

export interface Slope {
  /** Per second. */
  readonly slope: number;
  /** 95 % of the lines lie between these, were the points drawn apart. */
  readonly low: number;
  readonly high: number;
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(share * (sorted.length - 1))))] ?? Number.NaN;

/**
 * The slope by Theil and Sen: the median of the slopes between any two points, which up to 29 % of wild points do not
 * move. Its confidence interval is that of Sen (1968), by the variance of Kendall's S.
 * @param points at least three, at different times
 */
export const theilSen = (points: readonly Point[]): Slope => {
  const slopes = points
    .flatMap((a, index) => points.slice(index + 1).map((b) => (b.value - a.value) / (b.at - a.at)))
    .sort((a, b) => a - b);
  const n = points.length;
  const reach = 1.96 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const at = (rank: number): number => quantile(slopes, rank / slopes.length);
  return {
    slope: quantile(slopes, 0.5),
    low: at((slopes.length - reach) / 2),
    high: at((slopes.length + reach) / 2),
  };
};

/** The least of each span of so many seconds: what garbage that waits to be collected adds is not in it. */
export const lowest = (points: readonly Point[], seconds: number): Point[] => {
  const spans = new Map<number, Point>();
  for (const point of points) {
    const span = Math.floor(point.at / seconds);
    const least = spans.get(span);
    if (least === undefined || point.value < least.value) spans.set(span, point);
  }
  return [...spans.values()];
};
