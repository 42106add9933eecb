/** Lines that hold a map: plain values, statistics and time series. Histograms: histogram.ts. */
import type { Dialect } from './dialect.js';
import { array, type Fields, fields, type Integer, integer, isFields, Malformed, string } from './json.js';
import { decodeKey } from './text.js';
import { decodeValue, type Value } from './value.js';

/** What a map holds: one value, or one for each key (see decodeKey). Of a key printed twice, the last counts. */
export type Contents<T> =
  | { readonly keyed: false; readonly value: T }
  | { readonly keyed: true; readonly entries: ReadonlyMap<string, T> };

/** A line about one map; `map` is its name with the `@`. */
export type OfMap<Type extends string, T> = { readonly type: Type; readonly map: string } & Contents<T>;

/** A map without keys that holds a struct (0.24+) cannot be told from one with keys, and is taken for that. */
export type MapLine = OfMap<'map', Value>;

/** Of `stats()`: all three; of `avg()`: the average alone. */
export type StatsLine = OfMap<'stats', Integer | Stats>;
export interface Stats {
  readonly count: Integer;
  readonly average: Integer;
  readonly total: Integer;
}

/** Of `tseries()` (0.24+), oldest first. */
export type TseriesLine = OfMap<'tseries', readonly TseriesPoint[]>;
export interface TseriesPoint {
  /** Start of the interval, in bpftrace's local time: `2026-11-22 18:47:15.000000000`. */
  readonly start: string;
  readonly value: Value;
}

/** Name and contents of the one map in a line's `data`; `isValue` tells a lone value from an object of keys. */
export const decodeContents = <T>(
  data: unknown,
  dialect: Dialect,
  isValue: (contents: unknown) => boolean,
  decode: (value: unknown, dialect: Dialect) => T,
): { map: string } & Contents<T> => {
  const maps = Object.entries(fields(data, 'data'));
  const [map, contents] = maps[0] ?? [];
  if (map === undefined || maps.length !== 1) throw new Malformed(`data holds ${maps.length} maps`);
  if (isValue(contents)) return { map, keyed: false, value: decode(contents, dialect) };
  const entries = Object.entries(fields(contents, map));
  return {
    map,
    keyed: true,
    entries: new Map(entries.map(([key, value]) => [decodeKey(key, dialect), decode(value, dialect)])),
  };
};

/** Decodes a line of type `map`. */
export const decodeMap = ({ data }: Fields, dialect: Dialect): MapLine => ({
  type: 'map',
  ...decodeContents(data, dialect, (contents) => !isFields(contents), decodeValue),
});

const isStats = (value: unknown): value is Fields =>
  isFields(value) && 'count' in value && 'average' in value && 'total' in value;

const decodeStatistic = (value: unknown, { bigIntegers }: Dialect): Integer | Stats =>
  isStats(value)
    ? {
        count: integer(value.count, 'count', bigIntegers),
        average: integer(value.average, 'average', bigIntegers),
        total: integer(value.total, 'total', bigIntegers),
      }
    : integer(value, 'average', bigIntegers);

/** Decodes a line of type `stats`. */
export const decodeStats = ({ data }: Fields, dialect: Dialect): StatsLine => ({
  type: 'stats',
  ...decodeContents(data, dialect, (contents) => !isFields(contents) || isStats(contents), decodeStatistic),
});

const decodeSeries = (value: unknown, dialect: Dialect): readonly TseriesPoint[] =>
  array(value, 'time series').map((element) => {
    const point = fields(element, 'point');
    return {
      start: string(point.interval_start, 'interval_start'),
      value: decodeValue(point.value, dialect),
    };
  });

/** Decodes a line of type `tseries`. */
export const decodeTseries = ({ data }: Fields, dialect: Dialect): TseriesLine => ({
  type: 'tseries',
  ...decodeContents(data, dialect, Array.isArray, decodeSeries),
});
