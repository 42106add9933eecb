import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type ParsedArguments, parseArguments } from '../../src/cli/arguments.js';
import { helpText } from '../../src/cli/help.js';
import { loadConfig } from '../../src/config/load.js';
import { settings } from '../../src/config/settings.js';
import { suggest } from '../../src/config/suggest.js';
import { version } from '../../src/config/version.js';
import { type ErrorCode, MmaplockError } from '../../src/errors.js';
import { cases } from '../support/depth.js';

/** Words separated by single spaces; an empty text is no words. */
const parse = (line: string): ParsedArguments => parseArguments(line === '' ? [] : line.split(' '));

const refused = (argv: readonly string[]): MmaplockError => {
  try {
    parseArguments(argv);
  } catch (error) {
    assert.ok(error instanceof MmaplockError, String(error));
    return error;
  }
  assert.fail('accepted');
};

describe('commands', () => {
  const common = { flags: {}, configFile: undefined };
  const table: [string, ParsedArguments][] = [
    ['', { command: 'run', ...common, configCheck: false }],
    ['run --config.check', { command: 'run', ...common, configCheck: true }],
    ['--config.file /etc/m.yml', { command: 'run', flags: {}, configFile: '/etc/m.yml', configCheck: false }],
    ['check', { command: 'check', ...common, json: false }],
    ['check --json', { command: 'check', ...common, json: true }],
    ['dump-program', { command: 'dump-program', ...common, fragment: undefined, inspect: false }],
    [
      'dump-program --fragment=waits',
      { command: 'dump-program', ...common, fragment: 'waits', inspect: false },
    ],
    [
      'dump-program --inspect --fragment holds',
      { command: 'dump-program', ...common, fragment: 'holds', inspect: true },
    ],
    ['record', { command: 'record', ...common, seconds: 30, json: false, html: undefined }],
    ['record --for 5m --json', { command: 'record', ...common, seconds: 300, json: true, html: undefined }],
    ['record --for=1h', { command: 'record', ...common, seconds: 3600, json: false, html: undefined }],
    ['demo', { command: 'demo', ...common, seconds: 30 }],
    ['demo --seconds 5', { command: 'demo', ...common, seconds: 5 }],
    [
      'support-bundle',
      { command: 'support-bundle', ...common, seconds: 5, file: undefined, anonymous: false },
    ],
    [
      'support-bundle --file - --for 10s --anonymous',
      { command: 'support-bundle', ...common, seconds: 10, file: '-', anonymous: true },
    ],
    ['--version', { command: 'version' }],
    ['run --log.level debug --version', { command: 'version' }],
    ['--help', { command: 'help', topic: undefined }],
    ['-h', { command: 'help', topic: undefined }],
    ['demo --nonsense --help', { command: 'help', topic: 'demo' }],
  ];
  for (const [line, expected] of table) {
    test(`mmaplockd ${line}`, () => assert.deepEqual(parse(line), expected));
  }
});

const flagsOf = (line: string) => {
  const parsed = parse(line);
  assert.ok('flags' in parsed);
  return parsed.flags;
};

describe('settings as flags', () => {
  test('every setting is a flag of run, and loadConfig takes its value', () => {
    for (const { flag, path, schema } of settings.values()) {
      const value = String(schema.default);
      const parsed = parseArguments([`--${flag}=${value}`]);
      assert.ok('flags' in parsed);
      assert.deepEqual(parsed.flags, { [path]: schema.default });
      assert.deepEqual(loadConfig({ flags: parsed.flags }), loadConfig({}));
    }
  });
  test('a list is repeated or separated by commas', () => {
    assert.deepEqual(flagsOf('--web.listen-address [::1]:0 --web.listen-address=a:1,b:2'), {
      'web.listen_address': ['[::1]:0', 'a:1', 'b:2'],
    });
    assert.deepEqual(flagsOf('check --probes.allow tracepoint,kprobe'), {
      'probes.allow': ['tracepoint', 'kprobe'],
    });
  });
  test('a switch stands alone, or says what it is', () => {
    assert.deepEqual(flagsOf('--allow-second'), { allow_second: true });
    assert.deepEqual(flagsOf('--allow-second=false'), { allow_second: false });
  });
  test('what records takes what opens an incident, and keeps none on disk', () => {
    for (const command of ['record', 'support-bundle']) {
      assert.deepEqual(flagsOf(`${command} --incidents.wait-ms 20`), { 'incidents.wait_ms': 20 });
      for (const flag of ['--incidents.directory', '--web.listen-address'])
        assert.equal(refused([command, flag, 'x']).code, 'unknown_flag');
    }
  });
  test('check, dump-program, record, demo and support-bundle take what decides the probes', () => {
    for (const command of ['check', 'dump-program', 'record', 'demo', 'support-bundle']) {
      const line = `${command} --probes.directory /x --bpftrace.path /y --limits.map-keys 512 --log.level warn --reads opens`;
      assert.deepEqual(flagsOf(line), {
        'probes.directory': '/x',
        'bpftrace.path': '/y',
        'limits.map_keys': 512,
        'log.level': 'warn',
        'probes.reads': 'opens',
      });
    }
  });
  test('a value may hold an equals sign', () => {
    assert.deepEqual(flagsOf('--probes.directory=/a=b'), { 'probes.directory': '/a=b' });
  });
});

describe('refused', () => {
  const table: [string, ErrorCode, string, ...string[]][] = [
    ['chekc', 'unknown_command', 'chekc', 'knows no command "chekc"', 'nearest is check', version],
    ['toast', 'unknown_command', 'toast', version],
    ['--log.levle info', 'unknown_flag', '--log.levle', 'nearest is --log.level', version],
    ['--log_level=info', 'unknown_flag', '--log_level', '"--log_level"', 'nearest is --log.level'],
    ['--web.listen_address a:1', 'unknown_flag', '--web.listen_address', 'nearest is --web.listen-address'],
    ['-x', 'unknown_flag', '-x', '"-x"', version],
    ['--', 'unknown_flag', '--', version],
    [
      'check --web.allowed-hosts a',
      'unknown_flag',
      '--web.allowed-hosts',
      'check takes no',
      'run can',
      version,
    ],
    ['--log.level info check', 'unknown_command', 'check', 'before all flags'],
    ['check everything', 'unknown_command', 'everything', 'takes no argument "everything"'],
    ['--reads all', 'invalid_flag', '--reads', 'one of exact, opens, off', 'got "all"'],
    ['--log.level', 'invalid_flag', '--log.level', 'expected one of trace'],
    ['--log.level --log.format json', 'invalid_flag', '--log.level', 'expected one of trace'],
    ['--log.level info --log.level warn', 'invalid_flag', '--log.level', 'twice'],
    ['--allow-second --allow-second', 'invalid_flag', '--allow-second', 'twice'],
    ['--allow-second=yes', 'invalid_flag', '--allow-second', 'true or false', 'got "yes"'],
    ['--limits.map-keys -512', 'invalid_flag', '--limits.map-keys', 'from 512 to 65536', 'got -512'],
    ['--limits.map-keys=NaN', 'invalid_flag', '--limits.map-keys', 'got "NaN"'],
    ['--limits.map-keys=', 'invalid_flag', '--limits.map-keys', 'got ""'],
    ['demo --seconds Infinity', 'invalid_flag', '--seconds', 'from 1 to 3600', 'got "Infinity"'],
    ['demo --seconds 0', 'invalid_flag', '--seconds', 'got 0'],
    ['record --for 30', 'invalid_flag', '--for', 'from 1s to 1h, such as 30s or 5m', 'got "30"'],
    ['record --for 0s', 'invalid_flag', '--for', 'got "0s"'],
    ['record --for 61m', 'invalid_flag', '--for', 'got "61m"'],
    ['record --for', 'invalid_flag', '--for', 'from 1s to 1h'],
    ['record --fro 5s', 'unknown_flag', '--fro', 'nearest is --for', version],
    ['record --seconds 5', 'unknown_flag', '--seconds', 'record takes no --seconds', 'demo can', version],
    ['record 30s', 'unknown_command', '30s', 'record takes no argument "30s"'],
    ['support-bundle --file=', 'invalid_flag', '--file', 'a path, or -'],
    ['support-bundle --anon', 'unknown_flag', '--anon', version],
    ['recrod', 'unknown_command', 'recrod', 'nearest is record', version],
    ['--web.listen-address nowhere', 'invalid_flag', '--web.listen-address', 'host:port', 'got "nowhere"'],
    ['--web.listen-address=', 'invalid_flag', '--web.listen-address', 'at least one'],
    ['--config.file=', 'invalid_flag', '--config.file', 'a path'],
  ];
  for (const [line, code, field, ...parts] of table) {
    test(`mmaplockd ${line}`, () => {
      const error = refused(line.split(' '));
      assert.equal(error.code, code, error.message);
      assert.equal(error.field, field);
      for (const part of parts) assert.ok(error.message.includes(part), `${part} in: ${error.message}`);
    });
  }
  test('nothing is suggested when nothing is near', () => {
    assert.doesNotMatch(refused(['toast']).message, /nearest/);
    assert.doesNotMatch(refused(['--zzz']).message, /nearest/);
  });
});

/** Words that get past the first tests, among words of any kind. */
const anyArgv = fc.array(
  fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string().map((text) => `--${text}`),
    fc.constantFrom(
      'run',
      'check',
      'demo',
      'dump-program',
      'record',
      'support-bundle',
      '--for',
      '--file',
      '--json',
      '--seconds',
      '--fragment',
      '--config.file',
    ),
    fc.constantFrom('__proto__', 'constructor', '--__proto__', '--constructor=1', '-', '-5', '1e999'),
    fc
      .tuple(
        fc.constantFrom(...[...settings.values()].map(({ flag }) => flag)),
        fc.string({ unit: 'binary' }),
      )
      .map(([flag, value]) => `--${flag}=${value}`),
  ),
  { maxLength: 6 },
);

test('any words are understood, or refused with a printable error of the catalog', () => {
  fc.assert(
    fc.property(anyArgv, (argv) => {
      let parsed: ParsedArguments;
      try {
        parsed = parseArguments(argv);
      } catch (error) {
        assert.ok(error instanceof MmaplockError, String(error));
        assert.ok(['unknown_command', 'unknown_flag', 'invalid_flag'].includes(error.code), error.code);
        assert.doesNotMatch(`${error.message}${error.field}`, /[\p{Cc}\p{Cf}\p{Cs}]/u);
        return;
      }
      // What the command line lets through, no later check of a single value refuses.
      if (!('flags' in parsed)) return;
      for (const [path, value] of Object.entries(parsed.flags)) {
        if (!path.startsWith('bpftrace.stall')) loadConfig({ flags: { [path]: value } });
      }
    }),
    { numRuns: cases(2000) },
  );
});

test('a word of a million letters is refused at once, and cut', () => {
  const error = refused([`--${'x'.repeat(1_000_000)}`]);
  assert.equal(error.code, 'unknown_flag');
  assert.ok(error.message.length < 300 && error.field!.length < 200);
});

describe('help', () => {
  test('tells every command and every flag of run with its default and variable', () => {
    const help = helpText();
    for (const command of ['run', 'check', 'dump-program', 'record', 'demo', 'support-bundle'])
      assert.match(help, new RegExp(`^  ${command} `, 'm'));
    const unwrapped = help.replace(/\s+/g, ' ');
    for (const { flag, variable, schema } of settings.values()) {
      assert.ok(unwrapped.includes(`--${flag} `), flag);
      assert.ok(unwrapped.includes(`Environment ${variable}.`), variable);
      assert.ok(unwrapped.includes(schema.description!), flag);
    }
    assert.ok(unwrapped.includes('Default 127.0.0.1:10465.'));
    assert.doesNotMatch(help, /undefined|\[object/);
  });
  test('of a command: its own flags, not those of others', () => {
    assert.match(helpText('demo'), /^Usage: mmaplockd demo /);
    assert.match(helpText('demo'), /--seconds VALUE\n.*from 1 to 3600\. Default 30\./);
    assert.match(helpText('dump-program'), /--fragment VALUE/);
    assert.doesNotMatch(helpText('check'), /--seconds|--web\.|--fragment/);
  });
  test('fits a terminal of 100 columns', () => {
    const all = [undefined, 'run', 'check', 'dump-program', 'record', 'demo', 'support-bundle'] as const;
    for (const command of all) {
      for (const line of helpText(command).split('\n')) assert.ok(line.length <= 105, line);
    }
  });
});

describe('suggest', () => {
  const known = ['log.level', 'log.format', 'run'];
  test('the nearest, in any case', () => {
    assert.equal(suggest('LOG.LEVLE', known), 'log.level');
    assert.equal(suggest('log.fromat', known), 'log.format');
    assert.equal(suggest('rum', known), 'run');
  });
  test('nothing when none is near', () => {
    assert.equal(suggest('stop', known), undefined);
    assert.equal(suggest('', known), undefined);
    assert.equal(suggest('r'.repeat(10_000), known), undefined);
    assert.equal(suggest('run', []), undefined);
  });
  test('a known name is its own nearest', () => {
    for (const name of known) assert.equal(suggest(name, known), name);
  });
});
