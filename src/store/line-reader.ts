/** Reads what a LineWriter wrote, newest first. What cannot be understood is skipped, counted, and never stops it. */
import type { FileHandle } from 'node:fs/promises';
import { listOwnFiles, type OwnFile, openOwnFile } from './own-files.js';

/** The format that this version writes; each line says its own as `v`. */
export const formatVersion = 1;

/** The longest line that is written or read, its end included. */
export const longestLineBytes = 256 * 1024;

const newline = 0x0a;

/** Lines of a file that are looked at, from its end: of incidents none is shorter than 256 bytes. */
const mostLines = 65_536;

/** Bytes of a file: as many incidents as are kept in memory at most are a tenth of it. */
const mostBytes = 64 * 2 ** 20;

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
  /**
   * The line or file that was skipped first, as `file:line`, but for those of another version. Lines are counted from where
   * the file is looked at.
   */
  readonly firstBad: string | undefined;
}

export interface ReadLinesOptions<Value> {
  readonly directory: string;
  /** Values wanted at most. */
  readonly limit: number;
  /** Bytes of one file that are looked at, from its end; of a longer one 64 MiB are. */
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
  const skip = (what: keyof Skipped, where: string | (() => string)): void => {
    skipped[what] += 1;
    if (what !== 'unknownVersion') firstBad ??= typeof where === 'string' ? where : where();
  };
  const files = await listOwnFiles(options.directory);
  for (const file of files.reverse()) {
    if (values.size >= options.limit) break;
    const content = await contentOf(file, options.bytes);
    if (content === undefined) {
      skip('unreadable', file.name);
      continue;
    }
    let looked = 0;
    for (const { line, end, isLast } of linesFromEnd(content)) {
      if (values.size >= options.limit) break;
      looked += 1;
      if (looked > mostLines) {
        skip('malformed', file.name);
        break;
      }
      if (line.length === 0) continue;
      const found = understand(line, options.check);
      // What follows the last newline is a line that was cut off, unless it is whole.
      const cut = found === 'malformed' && isLast;
      if (typeof found === 'string')
        skip(cut ? 'truncated' : found, () => `${file.name}:${lineOf(content, end)}`);
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

/** Whole lines up to its end; undefined where it cannot be read. */
const contentOf = async ({ path, bytes }: OwnFile, limit: number): Promise<Buffer | undefined> => {
  try {
    const file = await openOwnFile(path, 'read');
    try {
      const from = Math.max(0, bytes - Math.min(limit, mostBytes));
      const content = await readFrom(file, from, bytes);
      return from === 0 ? content : content.subarray(content.indexOf(newline) + 1);
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
};

/** Less where somebody cuts the file meanwhile. */
const readFrom = async (file: FileHandle, from: number, to: number): Promise<Buffer> => {
  const buffer = Buffer.alloc(to - from);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, from + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
};

/** The lines without their ends, the last first; that one is empty where all ends with a newline. */
function* linesFromEnd(content: Buffer): Generator<{ line: Buffer; end: number; isLast: boolean }> {
  for (let end = content.length; end >= 0; ) {
    const before = end === 0 ? -1 : content.lastIndexOf(newline, end - 1);
    yield { line: content.subarray(before + 1, end), end, isLast: end === content.length };
    end = before;
  }
}

/** The number of the line that ends there, from 1. */
const lineOf = (content: Buffer, end: number): number => {
  let lines = 1;
  for (let at = content.indexOf(newline); at !== -1 && at < end; at = content.indexOf(newline, at + 1))
    lines += 1;
  return lines;
};
