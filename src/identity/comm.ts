/**
 * Names of processes as text that is safe in a terminal, a log line and a metric label.
 *
 * A comm is up to 15 arbitrary bytes (TASK_COMM_LEN, include/linux/sched.h): any process may put a newline or an
 * escape sequence there.
 */

const backslash = 0x5c;
const tilde = 0x7e;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Control and format characters (bidirectional overrides, zero-width), line and paragraph separators. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** The usual name, taken as it is: printable ASCII without a leading `~` and without a backslash. */
const plain = /^[ -[\]-}][ -[\]-~]*$/;

/** The most bytes a name has: TASK_COMM_LEN without its NUL. */
export const longestName = 15;

const escapeByte = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;
const escapeBytes = (bytes: Uint8Array): string => Array.from(bytes, escapeByte).join('');

/**
 * The name held by the 16 bytes of a comm read as two integers, in the order they have in memory. Signed values
 * are fine. See nameFromBytes() for the form.
 */
export function nameFromWords(c0: bigint, c1: bigint, endian: 'LE' | 'BE'): string {
  const bytes = Buffer.alloc(16);
  if (endian === 'LE') {
    bytes.writeBigUInt64LE(BigInt.asUintN(64, c0), 0);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, c1), 8);
  } else {
    bytes.writeBigUInt64BE(BigInt.asUintN(64, c0), 0);
    bytes.writeBigUInt64BE(BigInt.asUintN(64, c1), 8);
  }
  return nameFromBytes(bytes);
}

/**
 * The name up to the first NUL. Valid UTF-8 stays; other bytes and unsafe characters become `\xNN`, one for each
 * byte. Different bytes give different names, so a backslash that would read as such an escape is escaped too.
 * A leading `~` is escaped, for `~other` and `~unknown` are no processes; an empty name is `\x00`, for an empty
 * label is no label.
 */
export function nameFromBytes(bytes: Buffer): string {
  const nul = bytes.indexOf(0);
  const name = nul === -1 ? bytes : bytes.subarray(0, nul);
  if (name.length === 0) return escapeByte(0);
  const ascii = name.toString('latin1');
  return plain.test(ascii) ? ascii : escapeName(name);
}

/**
 * The bytes that a text stands for, with its `\xNN`. Of a name that nameFromBytes() gave these are its bytes; whether it
 * gives this very text for them is for the caller to see.
 */
export function bytesOfName(name: string): Buffer {
  const parts = name.split(/\\x([0-9a-f]{2})/);
  return Buffer.concat(
    parts.map((part, index) => (index % 2 === 1 ? Buffer.from(part, 'hex') : Buffer.from(part))),
  );
}

function escapeName(name: Buffer): string {
  let text = '';
  for (let at = 0; at < name.length; ) {
    const byte = name[at]!;
    if ((byte === tilde && at === 0) || (byte === backslash && looksEscaped(name, at))) {
      text += escapeByte(byte);
      at += 1;
      continue;
    }
    const sequence = name.subarray(at, at + sequenceLength(byte));
    const character = decode(sequence);
    if (character === undefined) {
      // Only the first byte is known to be wrong: the next may begin a valid sequence.
      text += escapeByte(byte);
      at += 1;
    } else {
      text += unsafe.test(character) ? escapeBytes(sequence) : character;
      at += sequence.length;
    }
  }
  return text;
}

/** Text with unsafe characters as `\xNN`; backslashes stay, for systemd has its own `\xNN` in unit names. */
export const escapeUnsafe = (text: string): string =>
  unsafe.test(text)
    ? Array.from(text, (character) =>
        unsafe.test(character) ? escapeBytes(Buffer.from(character)) : character,
      ).join('')
    : text;

const looksEscaped = (bytes: Buffer, at: number): boolean =>
  /^\\x[0-9a-f]{2}/.test(bytes.toString('latin1', at, at + 4));

/** The length a UTF-8 sequence with this first byte has, if it is one. */
function sequenceLength(first: number): number {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
