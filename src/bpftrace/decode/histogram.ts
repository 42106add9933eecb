/** Lines of `hist()` and `lhist()`: both have the type `hist`. */
import type { Dialect } from './dialect.js';
import { array, type Fields, fields, type Integer, integer, smallInteger } from './json.js';
import { decodeContents, type OfMap } from './maps.js';

/** How many values were at least `floor` and below the next bucket's floor. */
export interface Bucket {
  /**
   * -Infinity for the values below the range. The last bucket of an lhist, and where `wideHist` is `capped`
   * that of 2^31, is open upwards.
   */
  readonly floor: Integer;
  readonly count: number;
}

/** Buckets lowest first; leading and trailing empty ones are left out; none after zero(). */
export type HistogramLine = OfMap<'hist', readonly Bucket[]>;

/**
 * Up to 0.19 log2() stops at bucket 2^31 (src/ast/passes/codegen_llvm.cpp: `for (int i = 4; ...)`) and its
 * bounds are computed in 32 bits (src/output.cpp: `1 << (i-2)`), so this one bucket, which holds all values of
 * 2^31 and more, is printed as -2147483648 to 0.
 */
const wrapped = { min: -(2 ** 31), max: 0, floor: 2 ** 31 };

const decodeBucket = (element: unknown, { bigIntegers, wideHist }: Dialect): Bucket => {
  const bucket = fields(element, 'bucket');
  const count = smallInteger(bucket.count, 'count');
  if (bucket.min === undefined) return { floor: Number.NEGATIVE_INFINITY, count };
  const isWrapped = wideHist === 'capped' && bucket.min === wrapped.min && bucket.max === wrapped.max;
  return { floor: isWrapped ? wrapped.floor : integer(bucket.min, 'min', bigIntegers), count };
};

const decodeBuckets = (value: unknown, dialect: Dialect): readonly Bucket[] =>
  array(value, 'histogram').map((bucket) => decodeBucket(bucket, dialect));

/** Decodes a line of type `hist`. */
export const decodeHistogram = ({ data }: Fields, dialect: Dialect): HistogramLine => ({
  type: 'hist',
  ...decodeContents(data, dialect, Array.isArray, decodeBuckets),
});
