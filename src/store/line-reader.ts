/** Reads what a LineWriter wrote, newest first. What cannot be understood is skipped, counted, and never stops it. */
import type { FileHandle } from 'node:fs/promises';
import { listOwnFiles, type OwnFile, openOwnFile } from './own-files.js';

/** The format that this version writes; each line says its own as `v`. */
export const formatVersion = 1;

/** The longest line that is written or read, its end included. */
export const longestLineBytes = 256 * 1024;

/** Lines and files that were skipped. */
export interface Skipped {
  /** The end of a file in the middle of a line. */
  truncated: number;
  /** Of another format version. */
  unknownVersion: number;
  /** No JSON, or not of the form of its version. */
  malformed: number;
  overlong: number;
  /** Files that could not be read. */
  unreadable: number;
}

export interface LinesRead<Value> {
  /** Newest first; of those with the same key the newest alone. */
  readonly values: readonly Value[];
  readonly skipped: Readonly<Skipped>;
  /** The first line or file that was skipped, as `file:line`, but for those of another version. */
  readonly firstBad: string | undefined;
}

export interface ReadLinesOptions<Value> {
  readonly directory: string;
  /** Values wanted at most. */
  readonly limit: number;
  /** Bytes of one file that are looked at, from its start. */
  readonly bytes: number;
  /** The value of an object with the known version; undefined where it is not of that form. */
  readonly check: (object: object) => Value | undefined;
  readonly keyOf: (value: Value) => string;
}

/** Reads the newest values. Rejects with the error of the system where the directory cannot be listed. */
export const readLines = async <Value>(options: ReadLinesOptions<Value>): Promise<LinesRead<Value>> => {
  const values = new Map<string, Value>();
  const skipped: Skipped = { truncated: 0, unknownVersion: 0, malformed: 0, overlong: 0, unreadable: 0 };
  let firstBad: string | undefined;
  const skip = (what: keyof Skipped, where: string): void => {
    skipped[what] += 1;
    if (what !== 'unknownVersion') firstBad ??= where;
  };
  const files = await listOwnFiles(options.directory);
  for (const file of files.reverse()) {
    if (values.size >= options.limit) break;
    const lines = await linesOf(file, options.bytes);
    if (lines === undefined) {
      skip('unreadable', file.name);
      continue;
    }
    for (let index = lines.length - 1; index >= 0 && values.size < options.limit; index -= 1) {
      const line = lines[index] as Buffer;
      if (line.length === 0) continue;
      const found = understand(line, options.check);
      // What follows the last newline is a line that was cut off, unless it is whole.
      const cut = found === 'malformed' && index === lines.length - 1;
      if (typeof found === 'string') skip(cut ? 'truncated' : found, `${file.name}:${index + 1}`);
      else if (!values.has(options.keyOf(found.value))) values.set(options.keyOf(found.value), found.value);
    }
  }
  return { values: [...values.values()], skipped, firstBad };
};

type Understood<Value> = { readonly value: Value } | 'overlong' | 'malformed' | 'unknownVersion';

const understand = <Value>(line: Buffer, check: (object: object) => Value | undefined): Understood<Value> => {
  if (line.length >= longestLineBytes) return 'overlong';
  const parsed = parse(line.toString('utf8'));
  if (typeof parsed !== 'object' || parsed === null || !('v' in parsed) || !Number.isInteger(parsed.v))
    return 'malformed';
  if (parsed.v !== formatVersion) return 'unknownVersion';
  const value = check(parsed);
  return value === undefined ? 'malformed' : { value };
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The lines of a file without their ends; the last is empty where the file ends with a newline. */
const linesOf = async ({ path, bytes }: OwnFile, limit: number): Promise<Buffer[] | undefined> => {
  try {
    const file = await openOwnFile(path, 'read');
    try {
      return split(await readUpTo(file, Math.min(bytes, limit)));
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
};

/** Less where somebody cuts the file meanwhile. */
const readUpTo = async (file: FileHandle, bytes: number): Promise<Buffer> => {
  const buffer = Buffer.alloc(bytes);
  let length = 0;
  while (length < bytes) {
    const { bytesRead } = await file.read(buffer, length, bytes - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
};

const split = (buffer: Buffer): Buffer[] => {
  const lines: Buffer[] = [];
  let from = 0;
  for (let end = buffer.indexOf(0x0a); end !== -1; end = buffer.indexOf(0x0a, from)) {
    lines.push(buffer.subarray(from, end));
    from = end + 1;
  }
  lines.push(buffer.subarray(from));
  return lines;
};
