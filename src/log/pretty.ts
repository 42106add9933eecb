import { printable } from '../text/printable.js';

type Fields = Readonly<Record<string, unknown>>;

/** What every record of one process repeats, or what has its own place on the line. */
const placed = new Set(['time', 'level', 'msg', 'name', 'pid', 'hostname', 'err']);
/** Values that stay readable, and unambiguous, without quotes. */
const bare = /^[A-Za-z0-9_.:/@%+~-]+$/;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

const field = (key: string, value: unknown): string => {
  const text = typeof value === 'string' && bare.test(value) ? value : (JSON.stringify(value) ?? '');
  return ` ${printable(key)}=${printable(text)}`;
};

const fields = (record: Fields): string =>
  Object.entries(record)
    .filter(([key]) => !placed.has(key))
    .map(([key, value]) => field(key, value))
    .join('');

const errorFields = (error: unknown, said: unknown): string => {
  if (!isObject(error)) return error === undefined ? '' : field('error', error);
  const { type: _, message, ...others } = error;
  return (message === undefined || message === said ? '' : field('error', message)) + fields(others);
};

const clock = (time: unknown): string => {
  const date = new Date(String(time));
  return Number.isNaN(date.getTime()) ? '--:--:--' : date.toTimeString().slice(0, 8);
};

/**
 * One record of pino as a line for people: `HH:MM:SS level message key=value ...`, in local time, without
 * colours, control characters escaped.
 */
export const prettyLine = (json: string): string => {
  const record: unknown = JSON.parse(json);
  if (!isObject(record)) return `${printable(json)}\n`;
  const { time, level, msg, err } = record;
  const message = typeof msg === 'string' ? printable(msg) : '';
  return `${clock(time)} ${String(level).padEnd(5)} ${message}${fields(record)}${errorFields(err, msg)}\n`;
};
