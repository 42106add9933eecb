/** Lines that are not about a map: what printf() writes, and what bpftrace says of itself. */
import type { Dialect } from './dialect.js';
import { type Fields, fields, Malformed, smallInteger, string } from './json.js';
import { decodeText } from './text.js';

/** How many probes there are: wanted or attached, see `attachedCount` of the dialect. Never with `-q`. */
export interface AttachedProbesLine {
  readonly type: 'attached_probes';
  readonly probes: number;
}

/** Events that did not fit into the buffer between kernel and bpftrace, since the last such line. */
export interface LostEventsLine {
  readonly type: 'lost_events';
  readonly events: number;
}

/** What printf() wrote; a newline at its end is part of it. */
export interface PrintfLine {
  readonly type: 'printf';
  readonly text: string;
}

/** A BPF helper returned an error; -7 (E2BIG) from `map_update_elem` says that a map is full. */
export interface HelperErrorLine {
  readonly type: 'helper_error';
  readonly helper: string;
  readonly status: number;
  /** 0.20+. */
  readonly message: string | undefined;
  /** The place in the program. */
  readonly line: number;
  readonly column: number;
  /** 0.24+. */
  readonly file: string | undefined;
}

/** Decodes a line of type `attached_probes`. */
export const decodeAttachedProbes = ({ data }: Fields): AttachedProbesLine => ({
  type: 'attached_probes',
  probes: smallInteger(fields(data, 'data').probes, 'probes'),
});

/** Decodes a line of type `lost_events`. */
export const decodeLostEvents = ({ data }: Fields): LostEventsLine => {
  const events = smallInteger(fields(data, 'data').events, 'events');
  // A counter is fed by it.
  if (events < 0) throw new Malformed('events is negative');
  return { type: 'lost_events', events };
};

/** Decodes a line of type `printf`. */
export const decodePrintf = ({ data }: Fields, dialect: Dialect): PrintfLine => ({
  type: 'printf',
  text: decodeText(string(data, 'data'), dialect),
});

/** Decodes a line of type `helper_error`. */
export const decodeHelperError = (line: Fields, dialect: Dialect): HelperErrorLine => ({
  type: 'helper_error',
  helper: string(line.helper, 'helper'),
  status: smallInteger(line.retcode, 'retcode'),
  message: line.msg === undefined ? undefined : decodeText(string(line.msg, 'msg'), dialect),
  line: smallInteger(line.line, 'line'),
  column: smallInteger(line.col, 'col'),
  file: line.filename === undefined ? undefined : string(line.filename, 'filename'),
});
