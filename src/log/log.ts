import { isatty } from 'node:tty';
import { type Logger, pino } from 'pino';
import type { LogFormat, LogLevel } from '../config/schema.js';
import { MmaplockError, messageOf } from '../errors.js';
import { prettyLine } from './pretty.js';

export type Log = Logger;

/** Where records go: one call of write a record, a line with its line feed. */
export interface LogStream {
  write(line: string): unknown;
  readonly isTTY?: boolean;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Default: standard error, written synchronously, so that the last words before an exit are not lost. */
  readonly stream?: LogStream;
}

const standardError = (): LogStream => {
  const destination = pino.destination({ dest: 2, sync: true });
  return { write: (line) => destination.write(line), isTTY: isatty(2) };
};

/**
 * An error as the log shows it. One from the catalog is told by its code and mend; a stack is only for what
 * is a defect of ours.
 */
const serialiseError = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error;
  if (!(error instanceof MmaplockError)) {
    const code = 'code' in error ? { code: error.code } : {};
    return { type: error.name, message: error.message, ...code, stack: error.stack };
  }
  return {
    type: error.name,
    message: error.message,
    code: error.code,
    field: error.field,
    fix: error.fix,
    ...(error.cause === undefined ? {} : { cause: messageOf(error.cause) }),
    ...(error.code === 'internal_error' ? { stack: error.stack } : {}),
  };
};

/**
 * The log of the daemon: pino, with times in ISO 8601 and levels as words. `json` is one object a line,
 * `pretty` one plain line for people, `auto` chooses by whether the stream is a terminal. Pass an error as
 * `err`, or as the first argument.
 */
export const createLog = ({ level, format, stream = standardError() }: LogOptions): Log => {
  const pretty = format === 'pretty' || (format === 'auto' && stream.isTTY === true);
  return pino(
    {
      name: 'mmaplockd',
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serialiseError },
    },
    { write: (line) => void stream.write(pretty ? prettyLine(line) : line) },
  );
};
