/** JSON as bpftrace writes it: 64-bit integers kept exact, shapes checked. */

/** An integer of bpftrace, exact: a number while safe (|v| < 2^53), else a bigint. */
export type Integer = number | bigint;

/** How this bpftrace writes integers that a double cannot hold: as raw JSON numbers, or as strings (0.24+). */
export type BigIntegers = 'number' | 'string';

/** A line is JSON, but not of the shape its type has; caught in decodeLine. */
export class Malformed extends Error {}

// JSON.parse rounds integers over 2^53, and its reviver sees the source text only from Node 21 on. So long
// integers are wrapped in strings before parsing, marked with NUL, which no string of bpftrace can contain.
const mark = '\0';
const longDigits = /\d{16}/;
// A string without an end is taken to the end of the line, or it would be looked for anew from each of its quotes.
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;
/** 64 bits have 20 digits: a longer one is no integer of bpftrace, and one that begins with 0 is no JSON. */
const longInteger = /^-?[1-9]\d{15,19}$/;

/** Parses one line. Integers of 16 to 20 digits come out as marked strings, which `integerOf` understands. */
export const parseLine = (text: string): unknown =>
  JSON.parse(
    longDigits.test(text)
      ? text.replace(tokens, (token) => (longInteger.test(token) ? `"\\u0000${token}"` : token))
      : text,
  );

const exact = (digits: string): Integer => {
  const value = BigInt(digits);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
};

/**
 * The integer in a parsed value, or undefined if it is something else. Under `string`, a string is taken for
 * an integer only if a double cannot hold it, for only then does bpftrace write it so: `"1234"` stays a string.
 */
export const integerOf = (value: unknown, bigIntegers: BigIntegers): Integer | undefined => {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  if (value.startsWith(mark)) return longInteger.test(value.slice(1)) ? exact(value.slice(1)) : undefined;
  if (bigIntegers === 'number' || !longInteger.test(value) || value.length > 20) return undefined;
  const integer = BigInt(value);
  return BigInt(Number(integer)) === integer ? undefined : integer;
};

/** The integer in a parsed value; throws Malformed for anything else. */
export const integer = (value: unknown, what: string, bigIntegers: BigIntegers): Integer => {
  const found = integerOf(value, bigIntegers);
  if (found === undefined) throw new Malformed(`${what} is not an integer`);
  return found;
};

/** As `integer`, for what is never large: counts, lines, columns. */
export const smallInteger = (value: unknown, what: string): number => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw new Malformed(`${what} is not a small integer`);
  return value;
};

/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a parsed value is an object, not an array or null. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object in a parsed value; throws Malformed for anything else. */
export const fields = (value: unknown, what: string): Fields => {
  if (!isFields(value)) throw new Malformed(`${what} is not an object`);
  return value;
};

/** The string in a parsed value; throws Malformed for anything else. */
export const string = (value: unknown, what: string): string => {
  if (typeof value !== 'string' || value.startsWith(mark)) throw new Malformed(`${what} is not a string`);
  return value;
};

/** The array in a parsed value; throws Malformed for anything else. */
export const array = (value: unknown, what: string): readonly unknown[] => {
  if (!Array.isArray(value)) throw new Malformed(`${what} is not an array`);
  return value;
};
