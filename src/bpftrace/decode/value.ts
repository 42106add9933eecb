/** Values of maps. */
import type { Dialect } from './dialect.js';
import { type Integer, integerOf, isFields } from './json.js';
import { decodeText } from './text.js';

/**
 * A tuple or array is a list; a struct (0.24+) is a record. A comparison is 1, -1 or true: 0.17, 0.23 and 0.27
 * each print `@x = (1 == 1)` another way.
 */
export type Value =
  | Integer
  | string
  | boolean
  | null
  | readonly Value[]
  | { readonly [field: string]: Value };

/** Decodes a parsed value, whatever it holds. */
export const decodeValue = (value: unknown, dialect: Dialect): Value => {
  const integer = integerOf(value, dialect.bigIntegers);
  if (integer !== undefined) return integer;
  if (typeof value === 'string') return decodeText(value, dialect);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((element) => decodeValue(element, dialect));
  if (!isFields(value)) return null;
  return Object.fromEntries(
    Object.entries(value).map(([field, inner]) => [field, decodeValue(inner, dialect)]),
  );
};
