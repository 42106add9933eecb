import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Pem, WebTls } from '../../../src/config/web/tls.js';
import { MmaplockError } from '../../../src/errors.js';
import { readTls, tlsFiles } from '../../../src/http/listen/tls.js';
import { temporaryFolder } from '../../bpftrace/fake.js';
import { fixture } from '../../support/web.js';

const certFile = fixture('server.pem');
const keyFile = fixture('server-key.pem');
const caFile = fixture('authority.pem');
const cert = (file: string): { cert: Pem } => ({ cert: { key: 'cert_file', file } });
const key = (file: string): { key: Pem } => ({ key: { key: 'key_file', file } });
const authority = (file: string): { clientCa: Pem } => ({ clientCa: { key: 'client_ca_file', file } });

const good: WebTls = {
  ...cert(certFile),
  ...key(keyFile),
  ...authority(caFile),
  clientAuth: 'RequireAndVerifyClientCert',
  allowedSans: undefined,
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: undefined,
  curves: undefined,
  preferOwnCiphers: true,
};

test('a certificate with its key, and the authority of clients', () => {
  const { cert, key, ca, minVersion } = readTls(good);
  assert.match(String(cert), /BEGIN CERTIFICATE/);
  assert.match(String(key), /BEGIN PRIVATE KEY/);
  assert.match(String(ca), /BEGIN CERTIFICATE/);
  assert.equal(minVersion, 'TLSv1.3');
  assert.deepEqual(tlsFiles(good), [certFile, keyFile, caFile]);
});

test('without an authority none is trusted', () => {
  assert.equal(readTls({ ...good, clientCa: undefined }).ca, undefined);
  assert.equal(tlsFiles({ ...good, clientCa: undefined }).length, 2);
});

test('certificate and key may stand in the file itself, which then names no others', () => {
  const text = (file: string): string => readFileSync(file, 'utf8');
  const inline: WebTls = {
    ...good,
    cert: { key: 'cert', text: text(certFile) },
    key: { key: 'key', text: text(keyFile) },
    clientCa: { key: 'client_ca', text: text(caFile) },
  };
  assert.deepEqual(readTls(inline), readTls(good));
  assert.deepEqual(tlsFiles(inline), []);
  assert.throws(
    () => readTls({ ...inline, key: { key: 'key', text: 'secret-key-text' } }),
    (error) =>
      error instanceof MmaplockError &&
      error.field === 'tls_server_config.key' &&
      !error.message.includes('secret-key-text'),
  );
});

const written = (context: TestContext, content: string): string => {
  const file = join(temporaryFolder(context), 'file.pem');
  writeFileSync(file, content);
  return file;
};

const cases: readonly [string, (context: TestContext) => Partial<WebTls>, string, RegExp][] = [
  ['no certificate', () => cert('/nowhere'), 'cert_file', /cannot be read: ENOENT/],
  ['no key', () => key('/nowhere'), 'key_file', /cannot be read: ENOENT/],
  ['no authority', () => authority('/'), 'client_ca_file', /cannot be read: it is a directory/],
  ['an empty certificate', (context) => cert(written(context, '')), 'cert_file', /understood/],
  ['a certificate as key', () => key(certFile), 'key_file', /understood/],
  ['a key as certificate', () => cert(keyFile), 'cert_file', /understood/],
  ['a key as authority', () => authority(keyFile), 'client_ca_file', /understood/],
  ['the key of another', () => key(fixture('other-key.pem')), 'key_file', /is not the key of .*server\.pem/],
];
for (const [what, change, key, part] of cases)
  test(`${what}: told by its key and file`, (context) => {
    const changed = { ...good, ...change(context) };
    assert.throws(
      () => readTls(changed),
      (error) => {
        assert.ok(error instanceof MmaplockError);
        assert.deepEqual([error.code, error.field], ['tls_unusable', `tls_server_config.${key}`]);
        assert.match(error.message, part);
        assert.doesNotMatch(error.message, /PRIVATE/);
        return true;
      },
    );
  });
