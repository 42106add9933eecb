import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { WebTls } from '../../src/config/web-file.js';
import { MmaplockError } from '../../src/errors.js';
import { readTls, tlsFiles } from '../../src/http/tls.js';
import { temporaryFolder } from '../bpftrace/fake.js';
import { fixture } from '../support/web.js';

const good: WebTls = {
  certFile: fixture('server.pem'),
  keyFile: fixture('server-key.pem'),
  clientCaFile: fixture('authority.pem'),
  minVersion: 'TLSv1.3',
};

test('a certificate with its key, and the authority of clients', () => {
  const { cert, key, ca, minVersion } = readTls(good);
  assert.match(String(cert), /BEGIN CERTIFICATE/);
  assert.match(String(key), /BEGIN PRIVATE KEY/);
  assert.match(String(ca), /BEGIN CERTIFICATE/);
  assert.equal(minVersion, 'TLSv1.3');
  assert.deepEqual(tlsFiles(good), [good.certFile, good.keyFile, good.clientCaFile]);
});

test('without an authority none is trusted', () => {
  assert.equal(readTls({ ...good, clientCaFile: undefined }).ca, undefined);
  assert.equal(tlsFiles({ ...good, clientCaFile: undefined }).length, 2);
});

const written = (context: TestContext, content: string): string => {
  const file = join(temporaryFolder(context), 'file.pem');
  writeFileSync(file, content);
  return file;
};

const cases: readonly [string, (context: TestContext) => Partial<WebTls>, string, RegExp][] = [
  ['no certificate', () => ({ certFile: '/nowhere' }), 'cert_file', /cannot be read: ENOENT/],
  ['no key', () => ({ keyFile: '/nowhere' }), 'key_file', /cannot be read: ENOENT/],
  ['no authority', () => ({ clientCaFile: '/' }), 'client_ca_file', /cannot be read: EISDIR/],
  ['an empty certificate', (context) => ({ certFile: written(context, '') }), 'cert_file', /understood/],
  ['a certificate as key', () => ({ keyFile: good.certFile }), 'key_file', /understood/],
  ['a key as certificate', () => ({ certFile: good.keyFile }), 'cert_file', /understood/],
  ['a key as authority', () => ({ clientCaFile: good.keyFile }), 'client_ca_file', /understood/],
  [
    'the key of another',
    () => ({ keyFile: fixture('other-key.pem') }),
    'key_file',
    /is not the key of .*server\.pem/,
  ],
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
