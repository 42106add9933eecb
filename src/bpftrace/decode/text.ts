/** Strings and map keys as bpftrace mangles them, and how to undo it. */
import type { Dialect } from './dialect.js';

// char is signed on x86, so json_escape (src/output.cpp; src/output/json.cpp from 0.24) takes a byte over 0x7f
// for a control character and prints it sign-extended: byte c3 becomes \uffffffc3, which JSON reads as
// U+FFFF "ffc3". A real U+FFFF would itself be mangled, so the pattern is unambiguous.
const mangled = /(?:\uffffff[89a-f][0-9a-f])+/g;

const unmangle = (run: string): string => Buffer.from(run.replaceAll('\uffffff', ''), 'hex').toString('utf8');

/** A string as it was in the traced program; bytes that are not UTF-8 become U+FFFD. */
export const decodeText = (text: string, { highBytes }: Pick<Dialect, 'highBytes'>): string =>
  highBytes === 'sign_extended' && text.includes('\uffff') ? text.replace(mangled, unmangle) : text;

/**
 * A map key without its escapes. The parts of a multi-part key stay joined by commas, for no version escapes a
 * comma inside a part; spaces and parentheses that this version removed stay lost.
 */
export const decodeKey = (key: string, dialect: Pick<Dialect, 'highBytes' | 'keyEscapes'>): string =>
  decodeText(dialect.keyEscapes === 'twice' ? unescapeAgain(key) : key, dialect);

const unescapeAgain = (key: string): string => {
  if (!key.includes('\\')) return key;
  try {
    return String(JSON.parse(`"${key}"`));
  } catch {
    return key; // not escaped twice after all
  }
};

const words: ReadonlyMap<string, bigint> = new Map([
  ['true', 1n],
  ['false', 0n],
]);
const integerPart = /^-?\d{1,20}$/;

/**
 * The integers of a key of `width` parts, or undefined if it has another number of parts or another kind.
 *
 * As signed 64-bit, whatever the type was: up to 0.23 an unsigned 2^64 - 1 is printed as -1, from 0.24 on as
 * 18446744073709551615. A comparison is a boolean from 0.24 on: true is 1.
 */
export const integerKey = (key: string, width: number): bigint[] | undefined => {
  const parts = key.split(',');
  if (parts.length !== width) return undefined;
  const integers: bigint[] = [];
  for (const part of parts) {
    const integer = words.get(part) ?? (integerPart.test(part) ? BigInt(part) : undefined);
    if (integer === undefined) return undefined;
    integers.push(BigInt.asIntN(64, integer));
  }
  return integers;
};
