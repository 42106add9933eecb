import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type ConfigSources, loadConfig } from '../../src/config/load.js';
import { version } from '../../src/config/version.js';
import { type ErrorCode, MmaplockError } from '../../src/errors.js';

const directory = mkdtempSync(join(tmpdir(), 'mmaplockd-config-'));
after(() => rmSync(directory, { recursive: true }));

let written = 0;
const yaml = (content: string | Uint8Array): string => {
  const file = join(directory, `${++written}.yml`);
  writeFileSync(file, content);
  return file;
};

const refused = (sources: ConfigSources): MmaplockError => {
  try {
    loadConfig(sources);
  } catch (error) {
    assert.ok(error instanceof MmaplockError, String(error));
    return error;
  }
  assert.fail('accepted');
};

/** Asserts the code, the field and that the message holds each part. */
const assertRefused = (sources: ConfigSources, code: ErrorCode, field: string, ...parts: string[]): void => {
  const error = refused(sources);
  assert.equal(error.code, code, error.message);
  assert.equal(error.field, field);
  for (const part of parts) assert.ok(error.message.includes(part), `${part} in: ${error.message}`);
};

describe('precedence', () => {
  const file = yaml('log:\n  level: warn\n');
  const env = { MMAPLOCKD_LOG_LEVEL: 'error' };
  const flags = { 'log.level': 'debug' };
  const table: [string, ConfigSources, string][] = [
    ['nothing given', {}, 'info'],
    ['file', { file }, 'warn'],
    ['environment', { env }, 'error'],
    ['flag', { flags }, 'debug'],
    ['file and environment', { file, env }, 'error'],
    ['file and flag', { file, flags }, 'debug'],
    ['environment and flag', { env, flags }, 'debug'],
    ['all', { file, env, flags }, 'debug'],
  ];
  for (const [name, sources, level] of table) {
    test(`${name}: ${level}`, () => assert.equal(loadConfig(sources).log.level, level));
  }

  test('a list of a higher source replaces the lower, it does not add', () => {
    const web = yaml('web:\n  listen_address: ["127.0.0.1:1", "127.0.0.1:2"]\n');
    const config = loadConfig({ file: web, env: { MMAPLOCKD_WEB_LISTEN_ADDRESS: '[::1]:3' } });
    assert.deepEqual(config.web.listen_address, ['[::1]:3']);
  });

  test('a flag can take back what the file sets', () => {
    const second = yaml('allow_second: true\n');
    assert.equal(loadConfig({ file: second }).allow_second, true);
    assert.equal(loadConfig({ file: second, flags: { allow_second: false } }).allow_second, false);
  });

  test('configurations do not share their defaults', () => {
    loadConfig({}).web.allowed_hosts.push('elsewhere');
    assert.deepEqual(loadConfig({}).web.allowed_hosts, []);
  });
});

describe('unknown key', () => {
  test('in the file: path, line, version and the nearest key', () => {
    const file = yaml('# comment\nweb:\n  listen_adress: ["127.0.0.1:1"]\n');
    const parts = [
      '"web.listen_adress"',
      `${file}:3`,
      `mmaplockd ${version}`,
      'nearest is web.listen_address',
    ];
    assertRefused({ file }, 'unknown_config_key', 'web.listen_adress', ...parts);
  });
  test('in the file, a key that is a list: its line', () => {
    const file = yaml('log: {}\n? [a, b]\n: 1\n');
    assertRefused({ file }, 'unknown_config_key', '["a","b"]', `${file}:2`);
  });
  test('in the file outside its section', () => {
    const file = yaml('listen_address: ["127.0.0.1:1"]\n');
    assertRefused({ file }, 'unknown_config_key', 'listen_address', 'nearest is web.listen_address', ':1)');
  });
  test('in the file, written with a dot', () => {
    const file = yaml('log.level: info\n');
    assertRefused({ file }, 'unknown_config_key', 'log.level', 'write level below log:', `${file}:1`);
  });
  test('in the environment: the variable and the nearest one', () => {
    const env = { MMAPLOCKD_LOG_LEVLE: 'info' };
    const parts = [version, '(environment)', 'nearest is MMAPLOCKD_LOG_LEVEL'];
    assertRefused({ env }, 'unknown_config_key', 'MMAPLOCKD_LOG_LEVLE', ...parts);
  });
  test('in the flags', () => {
    const flags = { 'log.levle': 'info' };
    assertRefused({ flags }, 'unknown_config_key', 'log.levle', 'flag --log.levle', 'nearest is log.level');
  });
  test('nothing is suggested when nothing is near', () => {
    assert.doesNotMatch(refused({ file: yaml('colour: red\n') }).message, /nearest/);
  });
  for (const key of ['__proto__', 'constructor', 'toString', '<<', '1', '? [a, b]\n']) {
    test(`hostile: ${JSON.stringify(key)}`, () => {
      assert.equal(refused({ file: yaml(`${key}: {level: info}\n`) }).code, 'unknown_config_key');
      assert.deepEqual(loadConfig({}).log, { level: 'info', format: 'auto' });
    });
  }
});

describe('the environment of others', () => {
  test('variables of other programs are not looked at', () => {
    assert.deepEqual(
      loadConfig({ env: { PATH: '/bin', MMAPLOCK_X: '1', LOG_LEVEL: 'debug' } }),
      loadConfig({}),
    );
  });
  test('the service links of Kubernetes are not taken for settings', () => {
    const env = {
      MMAPLOCKD_SERVICE_HOST: '10.0.0.1',
      MMAPLOCKD_SERVICE_PORT: '10465',
      MMAPLOCKD_SERVICE_PORT_HTTP: '10465',
      MMAPLOCKD_PORT: 'tcp://10.0.0.1:10465',
      MMAPLOCKD_PORT_10465_TCP: 'tcp://10.0.0.1:10465',
      MMAPLOCKD_PORT_10465_TCP_ADDR: '10.0.0.1',
      MMAPLOCKD_METRICS_SERVICE_HOST: '10.0.0.2',
    };
    assert.deepEqual(loadConfig({ env }), loadConfig({}));
  });
});

describe('invalid value', () => {
  test('in the file: key, line, what is accepted, what was given', () => {
    const file = yaml('log:\n  format: json\n  level: loud\n');
    const parts = ['log.level', `${file}:3`, 'one of trace, debug', 'got "loud"'];
    assertRefused({ file }, 'invalid_config', 'log.level', ...parts);
  });
  test('in the environment', () => {
    const env = { MMAPLOCKD_LIMITS_MAP_KEYS: '511' };
    const parts = ['environment MMAPLOCKD_LIMITS_MAP_KEYS', 'a whole number from 512 to 65536', 'got 511'];
    assertRefused({ env }, 'invalid_config', 'limits.map_keys', ...parts);
  });
  test('in the flags', () => {
    const flags = { 'web.listen_address': ['127.0.0.1:1', 'nowhere'] };
    const parts = ['flag --web.listen-address', 'host:port', 'got "nowhere"'];
    assertRefused({ flags }, 'invalid_config', 'web.listen_address', ...parts);
  });
  test('also where a higher source overrides it', () => {
    const file = yaml('log:\n  level: loud\n');
    assertRefused({ file, flags: { 'log.level': 'info' } }, 'invalid_config', 'log.level', `${file}:2`);
  });
  test('a restart before the stall is noticed', () => {
    const env = { MMAPLOCKD_BPFTRACE_STALL_SECONDS: '20' };
    const parts = ['(default), 15', 'environment MMAPLOCKD_BPFTRACE_STALL_SECONDS), 20'];
    assertRefused({ env }, 'invalid_config', 'bpftrace.stall_restart_seconds', ...parts);
  });
  test('inspect mode for the API without a file with a token', () => {
    const file = yaml('inspect:\n  api: on\n');
    const parts = ['inspect.api', `${file}:2`, 'inspect.token_file (default)', 'token'];
    assertRefused({ file }, 'invalid_config', 'inspect.token_file', ...parts);
    const env = { MMAPLOCKD_INSPECT_TOKEN_FILE: '/etc/mmaplockd/token' };
    assert.deepEqual(loadConfig({ file, env }).inspect, {
      on_incident: 'off',
      api: 'on',
      token_file: '/etc/mmaplockd/token',
    });
    assert.equal(loadConfig({ env }).inspect.api, 'off', 'a token alone switches nothing on');
  });
  test('none beside kinds of probes', () => {
    const parts = ['flag --probes.allow', 'none,kprobe', 'expected none alone'];
    assertRefused(
      { flags: { 'probes.allow': ['none', 'kprobe'] } },
      'invalid_config',
      'probes.allow',
      ...parts,
    );
    assert.deepEqual(loadConfig({ file: yaml('probes: {allow: [none]}') }).probes.allow, ['none']);
    assert.deepEqual(loadConfig({ env: { MMAPLOCKD_PROBES_ALLOW: 'none' } }).probes.allow, ['none']);
  });
  test('victims that no label can show', () => {
    const field = 'metrics.watched_victims';
    const file = yaml('metrics:\n  watched_victims: [mysqld, postgresql.service]\n');
    assertRefused(
      { file },
      'invalid_config',
      field,
      `${file}:2`,
      'names a unit',
      'metrics.name_by (default)',
    );
    const units = loadConfig({ file, flags: { 'metrics.name_by': 'unit' } });
    assert.deepEqual(units.metrics.watched_victims, ['mysqld', 'postgresql.service']);
    assert.deepEqual(loadConfig({}).metrics.watched_victims, []);
    assert.deepEqual(
      loadConfig({ env: { MMAPLOCKD_METRICS_WATCHED_VICTIMS: 'a, b' } }).metrics.watched_victims,
      ['a', 'b'],
    );
  });
  const refusedYaml: [string, string, string][] = [
    [
      'metrics: {watched_victims: [a, b, c, d, e, f, g, h, i, j, k]}',
      'metrics.watched_victims',
      'at most 10, got 11',
    ],
    ['metrics: {watched_victims: [a, a]}', 'metrics.watched_victims', 'no value twice'],
    ['metrics: {watched_victims: [4711]}', 'metrics.watched_victims', 'got 4711'],
    ['metrics: {watched_victims: mysqld}', 'metrics.watched_victims', 'a list'],
    ['metrics: {watched_victims: [~other]}', 'metrics.watched_victims', 'for a ~ at its begin'],
    [
      'metrics: {watched_victims: [prometheus-node-exporter]}',
      'metrics.watched_victims',
      'at most 15 bytes, all that the kernel keeps',
    ],
    ['limits: {map_keys: "1024"}', 'limits.map_keys', 'got "1024"'],
    ['limits: {map_keys: 1024.5}', 'limits.map_keys', 'got 1024.5'],
    ['limits: {map_keys: .nan}', 'limits.map_keys', 'got NaN'],
    ['limits: {map_memory_mib: 1025}', 'limits.map_memory_mib', 'from 8 to 1024'],
    ['metrics: {process_slots: 0}', 'metrics.process_slots', 'from 1 to 60'],
    ['metrics: {reader_slots: 61}', 'metrics.reader_slots', 'from 1 to 57'],
    ['metrics: {block_slots: 104}', 'metrics.block_slots', 'from 1 to 103'],
    ['incidents: {share_percent: 101}', 'incidents.share_percent', 'from 1 to 100'],
    ['incidents: {directory: "a\\nb"}', 'incidents.directory', 'without control characters'],
    ['allow_second: yes', 'allow_second', 'true or false'],
    ['log: {level: }', 'log.level', 'got nothing'],
    ['log: debug', 'log', 'expected keys'],
    ['log: *nowhere', 'log', 'expected keys'],
    ['[]', 'config.file', 'the file'],
    ['web: {listen_address: 127.0.0.1:1}', 'web.listen_address', 'a list'],
    ['web: {listen_address: []}', 'web.listen_address', 'at least one'],
    ['web: {listen_address: ["a:1", "a:1"]}', 'web.listen_address', 'no value twice'],
    ['web: {allowed_hosts: [{a: 1}]}', 'web.allowed_hosts', 'got "{\\"a\\":1}"'],
    ['probes: {allow: [tracepoint, uprobe]}', 'probes.allow', 'got "uprobe"'],
    ['probes: {reads: all}', 'probes.reads', 'one of exact, opens, off'],
    ['probes: {retries: true}', 'probes.retries', 'one of on, off, got true'],
    ['probes: {disable: [../x]}', 'probes.disable', 'name of a fragment'],
    ['bpftrace: {path: "/bin/x\\0"}', 'bpftrace.path', 'got "/bin/x\\u{0}"'],
  ];
  for (const [content, field, part] of refusedYaml) {
    test(content, () => assertRefused({ file: yaml(content) }, 'invalid_config', field, part));
  }
});

describe('the file', () => {
  test('sets keys of every type, through an alias too', () => {
    const file = yaml(
      'web: {listen_address: ["127.0.0.1:1"], allowed_hosts: [&name monitor.example.org]}\n' +
        'bpftrace: {stall_seconds: 2.5, path: /usr/bin/bpftrace}\nallow_second: true\n' +
        'probes: {allow: [fentry], directory: *name, reads: off, retries: off}\n',
    );
    const config = loadConfig({ file });
    assert.deepEqual(config.web.listen_address, ['127.0.0.1:1']);
    assert.deepEqual(config.web.allowed_hosts, ['monitor.example.org']);
    assert.equal(config.bpftrace.stall_seconds, 2.5);
    assert.equal(config.bpftrace.path, '/usr/bin/bpftrace');
    assert.equal(config.allow_second, true);
    assert.deepEqual(config.probes.allow, ['fentry']);
    assert.equal(config.probes.directory, 'monitor.example.org');
    assert.equal(config.probes.reads, 'off');
    assert.equal(config.probes.retries, 'off');
  });
  for (const content of ['', '# nothing\n', 'web:\n  # nothing\nlog: {}\n', '\uFEFF---\nlog:\n']) {
    test(`without a setting: ${JSON.stringify(content)}`, () => {
      assert.deepEqual(loadConfig({ file: yaml(content) }), loadConfig({}));
    });
  }
  test('a missing one is named', () => {
    const file = join(directory, 'missing.yml');
    assertRefused({ file }, 'unreadable_config', 'config.file', file, 'ENOENT: no such file');
  });
  test('a directory', () => {
    assertRefused({ file: directory }, 'unreadable_config', 'config.file', directory, 'a directory');
  });
  test('bytes that are not UTF-8', () => {
    assertRefused({ file: yaml(Uint8Array.of(0x61, 0xff)) }, 'unreadable_config', 'config.file', 'not valid');
  });
  const broken: [string, string, number][] = [
    ['an address that needs quotes', 'web:\n  listen_address: [::1]:80\n', 2],
    ['a key twice', 'log:\n  level: info\n  level: warn\n', 3],
    ['a second document', 'log:\n---\nlog:\n', 2],
    ['an unknown tag', 'log:\n  level: !secret info\n', 2],
    ['an alias without an anchor', 'log:\n  level: *nowhere\n', 2],
    ['nesting without end', '['.repeat(60_000), 1],
    ['an alias of itself', 'log:\n  level: &a [*a]\n', 2],
  ];
  for (const [name, content, line] of broken) {
    test(`${name}: not YAML, with its line`, () => {
      const file = yaml(content);
      assertRefused({ file }, 'unreadable_config', 'config.file', `${file}:${line}: not valid YAML`);
    });
  }
  test('what is no file, has no end, or is too long is said at once', () => {
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    assertRefused({ file: pipe }, 'unreadable_config', 'config.file', pipe, 'a pipe');
    assertRefused({ file: '/dev/zero' }, 'unreadable_config', 'config.file', 'a device');
    const keys = Array.from({ length: 200_000 }, (_, n) => `k${n}:\n`).join('');
    assertRefused({ file: yaml(keys) }, 'unreadable_config', 'config.file', 'longer than 65536 bytes');
  });
  test('of as many keys as fit the first is refused soon', () => {
    const begun = process.cpuUsage();
    const keys = Array.from({ length: 9_000 }, (_, n) => `k${n}:\n`).join('');
    assertRefused({ file: yaml(keys) }, 'unknown_config_key', 'k0');
    const { user } = process.cpuUsage(begun);
    assert.ok(user < 5e6, `${user / 1e6} s of CPU`);
  });
  test('what stands in a file that is no YAML is not repeated', () => {
    for (const secret of [
      'hunter2',
      'hunter2: x: y',
      '"hunter2" hunter2',
      '@hunter2',
      '%hunter2\n---\n',
      '\thunter2: 1',
    ])
      assert.throws(
        () => loadConfig({ file: yaml(`${secret}\n`) }),
        ({ message }: Error) => !message.includes('hunter2') || assert.fail(message),
      );
  });
  test('aliases that multiply are refused, not expanded', () => {
    const levels = Array.from({ length: 12 }, (_, n) => `  - &a${n + 1} [${`*a${n},`.repeat(10)}]\n`);
    const file = yaml(`web:\n allowed_hosts:\n  - &a0 x\n${levels.join('')}`);
    assertRefused({ file }, 'unreadable_config', 'config.file', 'alias');
  });
});

test('control characters of a source reach no message', () => {
  const hostile = 'a\u001b[31m\nerror\u202e';
  const errors = [
    refused({ env: { MMAPLOCKD_LOG_LEVEL: hostile } }),
    refused({ env: { [`MMAPLOCKD_${hostile}`]: '' } }),
    refused({ file: yaml(`${JSON.stringify(hostile)}: 1\n`) }),
    refused({ file: yaml(`log: {level: ${JSON.stringify(hostile)}}\n`) }),
    refused({ file: join(directory, hostile) }),
    refused({ flags: { [hostile]: 1 } }),
  ];
  for (const { message, field } of errors) {
    assert.doesNotMatch(`${message}${field}`, /[\p{Cc}\p{Cf}]/u);
    assert.match(message, /\\u\{1b\}/);
  }
});

test('a long value is cut in the message', () => {
  const error = refused({ env: { MMAPLOCKD_LOG_LEVEL: 'x'.repeat(1_000_000) } });
  assert.ok(error.message.length < 400);
});
