/** Lines that hold a map, of plain values here; of histograms: histogram.ts. */
import type { Dialect } from './dialect.js';
import { type Fields, fields, isFields, Malformed } from './json.js';
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
