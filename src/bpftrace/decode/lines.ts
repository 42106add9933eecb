/**
 * One line of `bpftrace -f json`, decoded: the types that 0.17 to 0.27 print for the programs of bpf/, each by a
 * decoder of its own in decode/. Which version prints what: see the comments there. All others are unknown: what
 * statements print that no fragment may have, such as avg() and time() (test/house.test.ts), and `runtime_error`, which
 * 0.24 and later print for a division by 0.
 */

import type { Dialect } from './dialect.js';
import { decodeHistogram, type HistogramLine } from './histogram.js';
import { type Fields, fields, Malformed, parseLine, string } from './json.js';
import { decodeMap, type MapLine } from './maps.js';
import {
  type AttachedProbesLine,
  decodeAttachedProbes,
  decodeHelperError,
  decodeLostEvents,
  decodePrintf,
  type HelperErrorLine,
  type LostEventsLine,
  type PrintfLine,
} from './messages.js';

/** Nothing: up to 0.23, bpftrace prints two empty lines before it dumps its maps at the end. */
export interface BlankLine {
  readonly type: 'blank';
}

/**
 * Not JSON: from 0.24 on the compiler's warnings, with the source lines they are about, come on standard
 * output before the probes attach. Judge it as if it were on standard error. At most 200 characters are kept.
 */
export interface PlainLine {
  readonly type: 'plain';
  readonly text: string;
}

/** Well-formed, of a type this decoder does not know. */
export interface UnknownLine {
  readonly type: 'unknown';
  readonly typeName: string;
}

/** Meant as JSON, but broken or of another shape than its type has. At most 200 characters of text are kept. */
export interface UndecodableLine {
  readonly type: 'undecodable';
  readonly reason: string;
  readonly text: string;
}

export type BpftraceLine =
  | AttachedProbesLine
  | MapLine
  | HistogramLine
  | PrintfLine
  | LostEventsLine
  | HelperErrorLine
  | BlankLine
  | PlainLine
  | UnknownLine
  | UndecodableLine;

type Decoder = (line: Fields, dialect: Dialect) => BpftraceLine;

const decoders: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['attached_probes', decodeAttachedProbes],
  ['map', decodeMap],
  ['hist', decodeHistogram],
  ['printf', decodePrintf],
  ['lost_events', decodeLostEvents],
  ['helper_error', decodeHelperError],
]);

const longestText = 200;
const blank = /^\s*$/;

/** Decodes one line without its newline, as a bpftrace of this dialect wrote it. Never throws. */
export const decodeLine = (text: string, dialect: Dialect): BpftraceLine => {
  if (blank.test(text)) return { type: 'blank' };
  // The compiler's warnings show source lines, and one of them may be a brace alone.
  if (!text.startsWith('{') || text.trimEnd() === '{')
    return { type: 'plain', text: text.slice(0, longestText) };
  try {
    const line = fields(parseLine(text), 'line');
    const typeName = string(line.type, 'type');
    return (
      decoders.get(typeName)?.(line, dialect) ?? { type: 'unknown', typeName: typeName.slice(0, longestText) }
    );
  } catch (error) {
    return { type: 'undecodable', reason: reasonOf(error), text: text.slice(0, longestText) };
  }
};

/** A message of JSON.parse quotes the line itself, and differs with the version of Node. */
const reasonOf = (error: unknown): string => {
  if (error instanceof Malformed) return error.message.slice(0, longestText);
  return error instanceof SyntaxError ? 'not valid JSON' : 'nested too deeply';
};
