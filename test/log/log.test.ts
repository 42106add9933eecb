import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LogFormat, LogLevel } from '../../src/config/schema.js';
import { MmaplockError } from '../../src/errors.js';
import { createLog, type Log } from '../../src/log/log.js';

const capture = (format: LogFormat, { level = 'info' as LogLevel, isTTY = false } = {}) => {
  const lines: string[] = [];
  const log = createLog({ level, format, stream: { write: (line) => lines.push(line), isTTY } });
  return { log, lines };
};

const only = (format: LogFormat, write: (log: Log) => void): string => {
  const { log, lines } = capture(format);
  write(log);
  assert.equal(lines.length, 1);
  return lines[0]!;
};

type Json = { [key: string]: Json | undefined };
const json = (write: (log: Log) => void): Json => JSON.parse(only('json', write)) as Json;
/** Without the clock before it. */
const pretty = (write: (log: Log) => void): string => {
  const line = only('pretty', write);
  assert.match(line, /^\d\d:\d\d:\d\d [^\n]*\n$/);
  return line.slice(9, -1);
};

describe('json', () => {
  test('name, level as a word, time in ISO 8601', () => {
    const before = Date.now();
    const record = json((log) => log.warn({ probes: 3 }, 'attached'));
    assert.equal(record.name, 'mmaplockd');
    assert.equal(record.level, 'warn');
    assert.equal(record.msg, 'attached');
    assert.equal(record.probes, 3);
    const time = String(record.time);
    assert.equal(new Date(time).toISOString(), time);
    assert.ok(Date.parse(time) >= before && Date.parse(time) <= Date.now());
  });
  test('an error of the catalog: code, field, fix and cause, no stack', () => {
    const cause = new Error('EADDRINUSE');
    const error = new MmaplockError('port_in_use', 'taken', { field: 'web.listen_address', cause });
    assert.deepEqual(json((log) => log.error({ err: error }, 'cannot listen')).err, {
      type: 'MmaplockError',
      message: 'taken',
      code: 'port_in_use',
      field: 'web.listen_address',
      fix: error.fix,
      cause: 'EADDRINUSE',
    });
  });
  test('a defect of ours: with its stack', () => {
    const internal = json((log) => log.error(new MmaplockError('internal_error', 'impossible')));
    assert.match(String(internal.err?.stack), /log\.test/);
    const other = json((log) => log.error(new TypeError('x is undefined')));
    assert.equal(other.err?.type, 'TypeError');
    assert.match(String(other.err?.stack), /log\.test/);
  });
});

describe('pretty', () => {
  test('one line: level, message, fields', () => {
    assert.equal(
      pretty((log) =>
        log.info({ probes: 3, kernel: '6.18', note: 'a b', of: { x: 1 }, off: null }, 'attached'),
      ),
      'info  attached probes=3 kernel=6.18 note="a b" of={"x":1} off=null',
    );
  });
  test('a child says its own fields', () => {
    assert.equal(
      pretty((log) => log.child({ part: 'tracer' }).warn('slow')),
      'warn  slow part=tracer',
    );
  });
  test('an error: message once, code, field, fix', () => {
    const error = new MmaplockError('invalid_config', 'log.level: bad', {
      field: 'log.level',
      fix: 'Mend it.',
    });
    const tail = 'code=invalid_config field=log.level fix="Mend it."';
    assert.equal(
      pretty((log) => log.error(error)),
      `error log.level: bad ${tail}`,
    );
    assert.equal(
      pretty((log) => log.error({ err: error }, 'failed')),
      `error failed error="log.level: bad" ${tail}`,
    );
  });
  test('hostile text stays on its line and drives no terminal', () => {
    const hostile = 'x\n00:00:00 fatal forged\u001b[2J\u009b\u202e';
    const line = pretty((log) => log.info({ [hostile]: hostile, of: [hostile] }, hostile));
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u);
    assert.ok(line.startsWith('info  x\\n00:00:00 fatal forged\\u{1b}[2J'));
  });
  test('no colours', () => {
    const { log, lines } = capture('pretty', { isTTY: true });
    log.fatal('over');
    assert.doesNotMatch(lines[0]!, /\u001b/);
  });
});

test('auto is pretty on a terminal, else json', () => {
  for (const isTTY of [true, false]) {
    const { log, lines } = capture('auto', { isTTY });
    log.info('up');
    assert.equal(lines[0]!.startsWith('{'), !isTTY);
  }
});

test('the level withholds what is less severe; silent withholds all', () => {
  const warn = capture('json', { level: 'warn' });
  warn.log.info('a');
  warn.log.warn('b');
  assert.equal(warn.lines.length, 1);
  const silent = capture('json', { level: 'silent' });
  silent.log.fatal('c');
  assert.deepEqual(silent.lines, []);
});
