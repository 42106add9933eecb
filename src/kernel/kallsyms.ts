import { closeSync, openSync, readSync } from 'node:fs';
import { MmaplockError, messageOf } from '../errors.js';

/** A name of the kernel's symbol table, with each place that has it. */
export interface KernelSymbol {
  /** One for each occurrence, in modules too: more than one means the name alone does not say which function is meant. */
  readonly addresses: readonly bigint[];
  /** Every address reads zero: kernel.kptr_restrict hides them. The name and the count still hold. */
  readonly hidden: boolean;
}

/** Far more than one line: a name has at most 511 bytes (KSYM_NAME_LEN, include/linux/kallsyms.h, 6.18). */
const chunkBytes = 65_536;
const newline = 0x0a;
const tab = 0x09;
const space = 0x20;
const closingBracket = 0x5d;

/**
 * Looks up names in /proc/kallsyms. Names are compared whole: what the compiler suffixed (`.isra.0`, `.cold`) is
 * another name. A name that is absent from the result is absent from the kernel.
 *
 * The file is read in one go (some 25 ms for 122,000 lines): the kernel hands out a page for each read, and that
 * many trips to the thread pool would take three times as long.
 *
 * @throws MmaplockError kallsyms_unreadable
 */
export async function readSymbols(
  wanted: ReadonlySet<string>,
  path = '/proc/kallsyms',
): Promise<Map<string, KernelSymbol>> {
  const found = new Map<string, bigint[]>();
  if (wanted.size > 0) {
    try {
      scan(path, wanted, found);
    } catch (error) {
      throw new MmaplockError('kallsyms_unreadable', `${path}: ${messageOf(error)}`, {
        field: path,
        cause: error,
      });
    }
  }
  return new Map(
    [...found].map(([name, addresses]) => [
      name,
      { addresses, hidden: addresses.every((address) => address === 0n) },
    ]),
  );
}

function scan(path: string, wanted: ReadonlySet<string>, found: Map<string, bigint[]>): void {
  const visit = lineVisitor(wanted, found);
  const buffer = Buffer.allocUnsafe(chunkBytes);
  const file = openSync(path, 'r');
  try {
    let held = 0;
    for (;;) {
      if (held === buffer.length) throw new Error(`a line is longer than ${chunkBytes} bytes`);
      const read = readSync(file, buffer, held, buffer.length - held, null);
      if (read === 0) break;
      const filled = held + read;
      let start = 0;
      for (;;) {
        const end = buffer.indexOf(newline, start);
        if (end === -1 || end >= filled) break;
        visit(buffer, start, end);
        start = end + 1;
      }
      buffer.copyWithin(0, start, filled);
      held = filled - start;
    }
    if (held > 0) visit(buffer, 0, held);
  } finally {
    closeSync(file);
  }
}

/** Reads lines of `address type name`, with a tab and `[module]` behind where it is not the kernel proper. */
function lineVisitor(
  wanted: ReadonlySet<string>,
  found: Map<string, bigint[]>,
): (buffer: Buffer, start: number, end: number) => void {
  // Length and last byte rule out nearly every line before a string is made of it.
  const candidates = new Uint8Array(0x1_0000);
  const signature = (length: number, last: number): number => ((length & 0xff) << 8) | last;
  for (const name of wanted) candidates[signature(name.length, name.charCodeAt(name.length - 1) & 0xff)] = 1;

  return (buffer, start, end) => {
    const address = buffer.indexOf(space, start);
    const name = address + 3;
    if (address === -1 || name >= end) return;
    let nameEnd = end;
    if (buffer[end - 1] === closingBracket) {
      nameEnd = buffer.indexOf(tab, name);
      if (nameEnd === -1 || nameEnd >= end) return;
    }
    if (candidates[signature(nameEnd - name, buffer[nameEnd - 1]!)] === 0) return;
    const text = buffer.toString('latin1', name, nameEnd);
    if (!wanted.has(text)) return;
    const addresses = found.get(text) ?? [];
    addresses.push(BigInt(`0x${buffer.toString('latin1', start, address)}`));
    found.set(text, addresses);
  };
}
