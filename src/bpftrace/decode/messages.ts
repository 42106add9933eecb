/** Lines that are not about a map: texts, values, and what bpftrace says of itself. */
import type { Dialect } from './dialect.js';
import {
  type Fields,
  fields,
  type Integer,
  integer,
  isFields,
  Malformed,
  smallInteger,
  string,
} from './json.js';
import { decodeText } from './text.js';
import { decodeValue, type Value } from './value.js';

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

/** What a statement of the program wrote; a newline at its end is part of it. */
export interface TextLine {
  /** The statement; `syscall` is system(). */
  readonly type: 'printf' | 'time' | 'cat' | 'join' | 'syscall';
  readonly text: string;
}

/** print() of something that is not a map. */
export interface ValueLine {
  readonly type: 'value';
  readonly value: Value;
}

/** A place in the program. */
export interface Place {
  readonly line: number;
  readonly column: number;
  /** 0.24+. */
  readonly file: string | undefined;
}

/** A BPF helper returned an error; -7 (E2BIG) from `map_update_elem` says that a map is full. */
export interface HelperErrorLine extends Place {
  readonly type: 'helper_error';
  readonly helper: string;
  readonly status: number;
  /** 0.20+. */
  readonly message: string | undefined;
}

/** An error bpftrace noticed at run time, or what errorf() or warnf() said (0.24+). */
export interface NoticeLine extends Place {
  readonly type: 'runtime_error' | 'errorf' | 'warnf';
  readonly message: string;
}

/** Of a `test:` probe (0.25+). */
export interface TestResultLine {
  readonly type: 'test_result';
  readonly name: string;
  readonly passed: boolean;
  readonly nanoseconds: Integer;
  readonly output: string;
}

/** Of `bench:` probes: 0.24 reports all in one line, later versions each in its own. */
export interface BenchmarkLine {
  readonly type: 'benchmark_result';
  readonly results: readonly Benchmark[];
}
export interface Benchmark {
  readonly name: string;
  /** Average of one run. */
  readonly nanoseconds: Integer;
  /** 0.25+. */
  readonly runs: Integer | undefined;
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

/** Decodes a line whose data is one string. */
export const decodeTextLine =
  (type: TextLine['type']) =>
  ({ data }: Fields, dialect: Dialect): TextLine => ({
    type,
    text: decodeText(string(data, 'data'), dialect),
  });

/** Decodes a line of type `value`. */
export const decodeValueLine = ({ data }: Fields, dialect: Dialect): ValueLine => {
  if (data === undefined) throw new Malformed('data is missing');
  return { type: 'value', value: decodeValue(data, dialect) };
};

const place = ({ line, col, filename }: Fields): Place => ({
  line: smallInteger(line, 'line'),
  column: smallInteger(col, 'col'),
  file: filename === undefined ? undefined : string(filename, 'filename'),
});

/** Decodes a line of type `helper_error`. */
export const decodeHelperError = (line: Fields, dialect: Dialect): HelperErrorLine => ({
  type: 'helper_error',
  helper: string(line.helper, 'helper'),
  status: smallInteger(line.retcode, 'retcode'),
  message: line.msg === undefined ? undefined : decodeText(string(line.msg, 'msg'), dialect),
  ...place(line),
});

/** Decodes a line that says something about a place in the program. */
export const decodeNotice =
  (type: NoticeLine['type']) =>
  (line: Fields, dialect: Dialect): NoticeLine => ({
    type,
    message: decodeText(string(line.msg, 'msg'), dialect),
    ...place(line),
  });

/** Decodes a line of type `test_result`. */
export const decodeTestResult = ({ data }: Fields, dialect: Dialect): TestResultLine => {
  const [name, value] = Object.entries(fields(data, 'data'))[0] ?? [];
  if (name === undefined) throw new Malformed('data is empty');
  const { passed, duration, output } = fields(value, name);
  if (typeof passed !== 'boolean') throw new Malformed('passed is not a boolean');
  return {
    type: 'test_result',
    name,
    passed,
    nanoseconds: integer(duration, 'duration', dialect.bigIntegers),
    output: decodeText(string(output, 'output'), dialect),
  };
};

/** Decodes a line of type `benchmark_result` (0.25+) or `benchmark_results` (0.24). */
export const decodeBenchmark = ({ data }: Fields, dialect: Dialect): BenchmarkLine => ({
  type: 'benchmark_result',
  results: Object.entries(fields(data, 'data')).map(([name, value]) =>
    decodeBenchmarkOf(name, value, dialect),
  ),
});

const decodeBenchmarkOf = (name: string, value: unknown, { bigIntegers }: Dialect): Benchmark => {
  if (!isFields(value)) return { name, nanoseconds: integer(value, name, bigIntegers), runs: undefined };
  return {
    name,
    nanoseconds: integer(value.average, 'average', bigIntegers),
    runs: integer(value.iters, 'iters', bigIntegers),
  };
};
