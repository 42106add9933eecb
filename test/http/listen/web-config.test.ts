import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { MmaplockError } from '../../../src/errors.js';
import { checkWebConfig, WebConfig } from '../../../src/http/listen/web-config.js';
import { fixture, hash, replace, tlsOf, webFile } from '../../support/web.js';

const users = (name: string) => `basic_auth_users: {${name}: ${hash}}\n`;

/** The configuration of a file, what it logs, and a way to replace the file. @param beside it, copies of fixtures */
const open = (context: TestContext, content: string, beside: Readonly<Record<string, string>> = {}) => {
  const file = webFile(context, content);
  for (const [to, name] of Object.entries(beside))
    copyFileSync(fixture(name), path.join(path.dirname(file), to));
  const said: string[] = [];
  const web = new WebConfig(file, {
    info: () => said.push('read again'),
    error: ({ err }: { err: unknown }) =>
      said.push(err instanceof MmaplockError ? `${err.code}: ${err.message}` : String(err)),
  } as unknown as ConstructorParameters<typeof WebConfig>[1]);
  const write = (text: string) => replace(file, text);
  return { file, said, web, write, names: () => [...web.current().users.keys()] };
};

test('without a file there is neither TLS nor a user', () => {
  const web = new WebConfig('', { info: assert.fail, error: assert.fail });
  assert.deepEqual(web.current(), { tls: undefined, headers: new Map(), users: new Map(), rate: undefined });
  assert.equal(web.guarded, false);
});

test('what shows who asks: users, or certificates of clients', (context) => {
  assert.equal(open(context, users('a')).web.guarded, true);
  assert.equal(open(context, tlsOf('server')).web.guarded, false);
  const asks = `, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ${fixture('authority.pem')}}`;
  assert.equal(open(context, tlsOf('server').replace('}', asks)).web.guarded, true);
});

test('as long as nothing changes it is the same', (context) => {
  const { web, said } = open(context, tlsOf('server'));
  assert.equal(web.current(), web.current());
  assert.deepEqual(said, []);
});

test('a change is taken over at once, whether the file is replaced or written', (context) => {
  const { file, write, names, said } = open(context, users('a'));
  assert.deepEqual(names(), ['a']);
  write(users('b'));
  assert.deepEqual(names(), ['b']);
  assert.deepEqual(said, ['read again']);
  appendFileSync(file, `  # and\n`);
  appendFileSync(file, `http_server_config: {headers: {X-Frame-Options: deny}}\n`);
  assert.deepEqual(names(), ['b']);
  assert.deepEqual(said, ['read again', 'read again']);
});

test('what is not valid changes nothing, is told once, and can be mended', (context) => {
  const { file, web, write, names, said } = open(context, users('a'));
  write('basic_auth_user: {}');
  for (let asked = 0; asked < 5; asked += 1) assert.deepEqual(names(), ['a']);
  assert.equal(said.length, 1);
  assert.match(said[0]!, /^unknown_config_key: .*basic_auth_user\b/);
  rmSync(file);
  for (let asked = 0; asked < 5; asked += 1) assert.deepEqual(names(), ['a']);
  assert.equal(said.length, 2);
  assert.match(said[1]!, /^unreadable_config: .*ENOENT/);
  write(users('b'));
  assert.deepEqual(names(), ['b']);
  assert.equal(web.guarded, true);
});

test('certificates are read again when they change, and only together with their key', (context) => {
  const { file, web, said } = open(context, 'tls_server_config: {cert_file: a.pem, key_file: b.pem}\n', {
    'a.pem': 'server.pem',
    'b.pem': 'server-key.pem',
  });
  const put = (to: string, name: string) =>
    replace(path.join(path.dirname(file), to), readFileSync(fixture(name)));
  const before = web.current().tls;
  put('a.pem', 'other.pem');
  assert.equal(web.current().tls, before, 'the key of the new certificate is not there yet');
  assert.match(said.join(), /^tls_unusable: [^,]*key_file, .*b\.pem: is not the key of .*a\.pem$/);
  put('b.pem', 'other-key.pem');
  assert.deepEqual(web.current().tls?.cert, readFileSync(fixture('other.pem')));
  assert.deepEqual(said.slice(1), ['read again']);
});

const certificate = tlsOf('server');
const asked = certificate.replace(
  '}',
  `, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ${fixture('authority.pem')}}`,
);
for (const [what, before, after, part] of [
  ['the last user goes', users('a'), '', /the last of basic_auth_users/],
  ['TLS ends', certificate, '', /TLS is switched/],
  ['TLS begins', '', certificate, /TLS is switched/],
  ['clients are no longer asked', asked, certificate, /client_auth_type/],
  ['clients are asked', certificate, asked, /client_auth_type/],
] as const)
  test(`${what}: not without a new start`, (context) => {
    const { web, write, said } = open(context, before);
    const state = web.current();
    write(after);
    assert.equal(web.current(), state);
    assert.equal(web.current(), state);
    assert.equal(said.length, 1);
    assert.match(said[0]!, /^web_config_held: /);
    assert.match(said[0]!, part);
  });

test('the first user counts at once', (context) => {
  const { write, names } = open(context, '');
  write(users('a'));
  assert.deepEqual(names(), ['a']);
});

test('a check tells what the daemon would not start with', (context) => {
  checkWebConfig('');
  checkWebConfig(webFile(context, tlsOf('server')));
  const broken = webFile(context, tlsOf('server').replace('server-key', 'other-key'));
  assert.throws(() => checkWebConfig(broken), { code: 'tls_unusable' });
});
