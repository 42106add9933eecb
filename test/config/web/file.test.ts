import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readWebFile } from '../../../src/config/web/file.js';
import { type ErrorCode, MmaplockError } from '../../../src/errors.js';

const directory = mkdtempSync(join(tmpdir(), 'mmaplockd-web-'));
after(() => rmSync(directory, { recursive: true }));

const file = join(directory, 'web.yaml');
const read = (content: string) => {
  writeFileSync(file, content);
  return readWebFile(file);
};

const salt = 'abcdefghijklmnopqrstuv';
const hashOf = (cost: string, variant = 'b') => `$2${variant}$${cost}$${salt}${'x'.repeat(31)}`;

for (const content of [
  '',
  '# nothing\n',
  'tls_server_config:\nhttp_server_config: {headers: }\nbasic_auth_users: {}\n',
])
  test(`neither TLS nor users: ${JSON.stringify(content)}`, () => {
    assert.deepEqual(read(content), {
      tls: undefined,
      headers: new Map(),
      users: new Map(),
      rate: undefined,
    });
  });

test('paths are relative to the directory of the file, wherever the daemon runs', () => {
  const { tls } = read('tls_server_config: {cert_file: a.pem, key_file: /etc/b.pem}');
  assert.deepEqual(tls, {
    cert: { key: 'cert_file', file: join(directory, 'a.pem') },
    key: { key: 'key_file', file: '/etc/b.pem' },
    clientAuth: 'NoClientCert',
    clientCa: undefined,
    allowedSans: undefined,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: undefined,
    curves: undefined,
    preferOwnCiphers: true,
  });
});

test('clients can be asked for a certificate, and for TLS 1.3', () => {
  const { tls } = read(
    `tls_server_config:
  cert_file: a.pem
  key_file: b.pem
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
  min_version: TLS13
`,
  );
  assert.deepEqual(
    [tls?.clientAuth, tls?.clientCa, tls?.minVersion],
    ['RequireAndVerifyClientCert', { key: 'client_ca_file', file: join(directory, 'ca.pem') }, 'TLSv1.3'],
  );
});

const tlsWith = (more: string) => read(`tls_server_config: {cert_file: a, key_file: b, ${more}}`).tls;

test('all that can be asked of clients, by the names of Go', () => {
  assert.equal(tlsWith('client_auth_type: RequestClientCert')?.clientAuth, 'RequestClientCert');
  assert.equal(tlsWith('client_auth_type: RequireClientCert')?.clientAuth, 'RequireAnyClientCert');
  const given = tlsWith('client_auth_type: VerifyClientCertIfGiven, client_ca_file: ca');
  assert.equal(given?.clientAuth, 'VerifyClientCertIfGiven');
  const named = tlsWith(
    'client_auth_type: RequireAnyClientCert, client_allowed_sans: [a.internal, 10.0.0.1]',
  );
  assert.deepEqual(named?.allowedSans, ['a.internal', '10.0.0.1']);
});

test('versions, suites and curves, by the names of Go', () => {
  const tls = tlsWith(
    'max_version: TLS12, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256, ' +
      'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384], curve_preferences: [X25519, CurveP256], ' +
      'prefer_server_cipher_suites: false',
  );
  assert.deepEqual(
    [tls?.minVersion, tls?.maxVersion, tls?.ciphers, tls?.curves, tls?.preferOwnCiphers],
    [
      'TLSv1.2',
      'TLSv1.2',
      ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
      ['X25519', 'P-256'],
      false,
    ],
  );
});

test('certificates as text', () => {
  const { tls } = read('tls_server_config:\n  cert: |\n    a\n  key: |\n    b\n');
  assert.deepEqual(
    [tls?.cert, tls?.key],
    [
      { key: 'cert', text: 'a\n' },
      { key: 'key', text: 'b\n' },
    ],
  );
});

for (const [interval, milliseconds] of [
  ['1s', 1000],
  ['250ms', 250],
  ['500us', 0.5],
  ['1.5s', 1500],
  ['1m', 60_000],
] as const)
  test(`a request every ${interval}`, () => {
    const { rate } = read(`rate_limit: {interval: ${interval}, burst: 20}`);
    assert.deepEqual(rate, { intervalMilliseconds: milliseconds, burst: 20 });
  });

test('an interval of 0 is no limit, and HTTP/2 may be said to be off', () => {
  const { rate } = read('rate_limit: {interval: 0s, burst: 20}\nhttp_server_config: {http2: false}');
  assert.equal(rate, undefined);
});

test('headers, those that are not empty', () => {
  const { headers } = read(
    `http_server_config:
  headers: {Strict-Transport-Security: max-age=600, X-Frame-Options: deny, X-XSS-Protection: "", X-Content-Type-Options: nosniff}
`,
  );
  assert.deepEqual(Object.fromEntries(headers), {
    'strict-transport-security': 'max-age=600',
    'x-frame-options': 'deny',
    'x-content-type-options': 'nosniff',
  });
});

test('users, with hashes of every name bcrypt goes by', () => {
  const users = Object.entries({ a: hashOf('04', 'a'), 'b ä': hashOf('10', 'b'), y: hashOf('14', 'y') });
  const content = `basic_auth_users:\n${users.map(([name, hash]) => `  ${name}: ${hash}\n`).join('')}`;
  assert.deepEqual([...read(content).users], users);
});

/** [content, code, field, part of the message] */
const refused: readonly (readonly [string, ErrorCode, string, RegExp])[] = [
  [
    'tls_server: {}',
    'unknown_config_key',
    'tls_server',
    /"tls_server" \(.*:1\); known are tls_server_config, http/,
  ],
  ['\ntls_server_config: {crt: x}', 'unknown_config_key', 'tls_server_config.crt', /:2\)/],
  [
    'http_server_config: {http2: true}',
    'invalid_config',
    'http_server_config.http2',
    /:1\): expected false: mmaplockd speaks HTTP\/1\.1/,
  ],
  [
    'http_server_config: {headers: {X-Frame-Option: deny}}',
    'unknown_config_key',
    'http_server_config.headers.X-Frame-Option',
    /nearest is http_server_config\.headers\.X-Frame-Options/,
  ],
  ['basic_auth_user: {}', 'unknown_config_key', 'basic_auth_user', /the nearest is basic_auth_users/],
  ['rate_limit: {bursts: 1}', 'unknown_config_key', 'rate_limit.bursts', /nearest is rate_limit\.burst/],
  ['rate_limit: {interval: 1s}', 'invalid_config', 'rate_limit.burst', /missing/],
  ['rate_limit: {interval: 1s, burst: 0}', 'invalid_config', 'rate_limit.burst', /from 1 to/],
  ['rate_limit: {interval: 1, burst: 1}', 'invalid_config', 'rate_limit.interval', /a duration such as/],
  ['rate_limit: {interval: 2m, burst: 1}', 'invalid_config', 'rate_limit.interval', /at most 1m, or 0s, got/],
  ['- a', 'invalid_config', 'web.config_file', /the file .*expected keys/],
  ['tls_server_config: on', 'invalid_config', 'tls_server_config', /expected keys/],
  ['tls_server_config: {cert_file: a}', 'invalid_config', 'tls_server_config.key_file', /missing/],
  ['tls_server_config: {key_file: a}', 'invalid_config', 'tls_server_config.cert_file', /missing/],
  [
    'tls_server_config: {cert_file: "", key_file: a}',
    'invalid_config',
    'tls_server_config.cert_file',
    /a path/,
  ],
  ['tls_server_config: {cert_file: [a]}', 'invalid_config', 'tls_server_config.cert_file', /a path.*, got /],
  ['tls_server_config: {cert_file: "a\\0b"}', 'invalid_config', 'tls_server_config.cert_file', /control/],
  [
    'tls_server_config: {min_version: TLS11}',
    'invalid_config',
    'tls_server_config.min_version',
    /TLS12, TLS13/,
  ],
  [
    'tls_server_config: {client_auth_type: VerifyClientCert}',
    'invalid_config',
    'tls_server_config.client_auth_type',
    /one of NoClientCert, .*RequireAndVerifyClientCert/,
  ],
  [
    'tls_server_config: {cert_file: a, key_file: b, client_auth_type: VerifyClientCertIfGiven}',
    'invalid_config',
    'tls_server_config.client_ca_file',
    /missing/,
  ],
  [
    'tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequestClientCert, client_allowed_sans: [a]}',
    'invalid_config',
    'tls_server_config.client_allowed_sans',
    /need not show a certificate/,
  ],
  [
    'tls_server_config: {cert_file: a, cert: b, key_file: c}',
    'invalid_config',
    'tls_server_config.cert',
    /beside cert_file/,
  ],
  [
    'tls_server_config: {cert_file: a, key_file: b, min_version: TLS13, max_version: TLS12}',
    'invalid_config',
    'tls_server_config.max_version',
    /less than min_version/,
  ],
  [
    'tls_server_config: {cert_file: a, key_file: b, cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}',
    'invalid_config',
    'tls_server_config.cipher_suites',
    /one of TLS_AES_128_GCM_SHA256/,
  ],
  [
    'tls_server_config: {cert_file: a, key_file: b, curve_preferences: [P256]}',
    'invalid_config',
    'tls_server_config.curve_preferences',
    /CurveP256/,
  ],
  [
    'tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequireAndVerifyClientCert}',
    'invalid_config',
    'tls_server_config.client_ca_file',
    /missing/,
  ],
  [
    'tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}',
    'invalid_config',
    'tls_server_config.client_auth_type',
    /asks nobody/,
  ],
  [
    'http_server_config: {headers: {X-Frame-Options: allow}}',
    'invalid_config',
    'http_server_config.headers.X-Frame-Options',
    /deny, sameorigin/,
  ],
  [
    'http_server_config: {headers: {Content-Security-Policy: "a\\r\\nb: c"}}',
    'invalid_config',
    'http_server_config.headers.Content-Security-Policy',
    /visible ASCII/,
  ],
  ['basic_auth_users: [a]', 'invalid_config', 'basic_auth_users', /expected keys/],
  [`basic_auth_users: {"a:b": ${hashOf('10')}}`, 'invalid_config', 'basic_auth_users.a:b', /without a colon/],
  [`basic_auth_users: {"": ${hashOf('10')}}`, 'invalid_config', 'basic_auth_users.', /a name/],
  ['basic_auth_users: {a: }', 'invalid_config', 'basic_auth_users.a', /a bcrypt hash/],
  [`basic_auth_users: {a: "${hashOf('10')}x"}`, 'invalid_config', 'basic_auth_users.a', /a bcrypt hash/],
  [`basic_auth_users: {a: ${hashOf('15')}}`, 'invalid_config', 'basic_auth_users.a', /from 4 to 14, got 15/],
  [`basic_auth_users: {a: ${hashOf('03')}}`, 'invalid_config', 'basic_auth_users.a', /from 4 to 14, got 03/],
  ['basic_auth_users: {a: *nowhere}', 'unreadable_config', 'web.config_file', /not valid YAML/],
  ['a: 1\na: 2\n', 'unreadable_config', 'web.config_file', /:2: not valid YAML/],
];
for (const [content, code, field, part] of refused)
  test(`refused: ${JSON.stringify(content)}`, () => {
    assert.throws(
      () => read(content),
      (error) => {
        assert.ok(error instanceof MmaplockError, String(error));
        assert.deepEqual([error.code, error.field], [code, field], error.message);
        assert.match(error.message, part);
        assert.ok(error.message.includes(file), 'it names the file');
        return true;
      },
    );
  });

test('a private key that is no text is in no message', () => {
  for (const key of ['[hunter2]', '{a: hunter2}', '2'])
    assert.throws(
      () => read(`tls_server_config: {cert_file: a, key: ${key}}`),
      (error) => error instanceof MmaplockError && !`${error.message}${error.field}`.includes('hunter2'),
    );
});

test('a password that somebody forgot to hash is in no message', () => {
  for (const content of ['{a: hunter2}', '{a: [hunter2]}', '{a: {hunter2: x}}'])
    assert.throws(
      () => read(`basic_auth_users: ${content}`),
      (error) => error instanceof MmaplockError && !`${error.message}${error.field}`.includes('hunter2'),
    );
});

test('a file that is not there is named', () => {
  const missing = join(directory, 'missing.yaml');
  assert.throws(
    () => readWebFile(missing),
    (error) =>
      error instanceof MmaplockError &&
      error.code === 'unreadable_config' &&
      error.field === 'web.config_file' &&
      error.message.includes(`${missing}: ENOENT`),
  );
});
