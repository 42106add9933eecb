import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { usualPatience } from '../../src/http/listen/limits.js';
import {
  askUrl,
  authorization,
  fixture,
  hash,
  openListeners,
  replace,
  tlsOf,
  webFile,
} from '../support/web.js';

const users = `basic_auth_users: {prometheus: ${hash}}\n`;
const asksClients = (content: string): string =>
  content.replace(
    '}',
    `, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ${fixture('authority.pem')}}`,
  );

test('with a certificate all listeners speak TLS; without users they serve what they did before', async (context) => {
  const { listeners } = await openListeners(context, {
    'web.listen_address': ['127.0.0.1:0', '0.0.0.0:0'],
    'web.config_file': webFile(context, tlsOf('server')),
  });
  const [loopback, other] = listeners.map(({ url }) => url);
  assert.match(loopback!, /^https:\/\/127\.0\.0\.1:[1-9]/);
  assert.match(other!, /^https:/);
  const answer = await askUrl(loopback!, '/api/v1/status');
  assert.deepEqual([answer.status, answer.servedBy], [200, 'server']);
  assert.equal((await askUrl(other!, '/metrics')).status, 200);
  assert.equal((await askUrl(other!, '/api/v1/status')).status, 404);
  await assert.rejects(askUrl(loopback!.replace('https', 'http'), '/metrics'), 'no HTTP in clear');
});

test('another certificate is shown to the next who comes, while those who are there go on', async (context) => {
  const file = webFile(context, tlsOf('server'));
  const { listeners, log } = await openListeners(context, { 'web.config_file': file });
  const { url } = listeners[0]!;
  assert.equal((await askUrl(url, '/metrics')).servedBy, 'server');
  replace(file, tlsOf('other'));
  assert.equal((await askUrl(url, '/metrics')).servedBy, 'other');
  assert.deepEqual(
    log.map((line) => JSON.parse(line).msg),
    ['the web configuration was read again'],
  );
  replace(file, 'tls_server_config: {cert_file: nowhere, key_file: nowhere}');
  assert.equal((await askUrl(url, '/metrics')).servedBy, 'other');
  assert.equal(JSON.parse(log[1]!).err.code, 'tls_unusable');
  assert.equal(log.length, 2);
});

test('TLS 1.2 is refused where 1.3 is the least', async (context) => {
  const content = tlsOf('server').replace('}', ', min_version: TLS13}');
  const { listeners } = await openListeners(context, { 'web.config_file': webFile(context, content) });
  const { url } = listeners[0]!;
  assert.equal((await askUrl(url, '/metrics')).status, 200);
  await assert.rejects(askUrl(url, '/metrics', { maxVersion: 'TLSv1.2' }));
});

test('where clients must show a certificate, those who do are served everything, others nothing', async (context) => {
  const { listeners } = await openListeners(context, {
    'web.listen_address': ['0.0.0.0:0'],
    'web.config_file': webFile(context, asksClients(tlsOf('server'))),
  });
  const { url } = listeners[0]!;
  for (const path of ['/metrics', '/api/v1/status'])
    assert.equal((await askUrl(url, path, { client: 'client' })).status, 200, path);
  await assert.rejects(askUrl(url, '/-/healthy'));
  await assert.rejects(askUrl(url, '/-/healthy', { client: 'stranger' }));
});

const asking = (more: string): string => tlsOf('server').replace('}', `, ${more}}`);
const byAuthority = `client_ca_file: ${fixture('authority.pem')}`;

/** Whether a client is served: without a certificate, with one that nobody knows, with one of the authority. */
for (const [more, served] of [
  ['client_auth_type: RequestClientCert', [true, true, true]],
  ['client_auth_type: RequireAnyClientCert', [false, true, true]],
  [`client_auth_type: VerifyClientCertIfGiven, ${byAuthority}`, [true, false, true]],
  [
    `client_auth_type: RequireAndVerifyClientCert, ${byAuthority}, client_allowed_sans: [localhost]`,
    [false, false, true],
  ],
  [
    `client_auth_type: RequireAndVerifyClientCert, ${byAuthority}, client_allowed_sans: [db2]`,
    [false, false, false],
  ],
] as const)
  test(`${more.replace(/client_ca_file: [^,]*/, 'client_ca_file')}: who is served`, async (context) => {
    const { listeners } = await openListeners(context, {
      'web.listen_address': ['0.0.0.0:0'],
      'web.config_file': webFile(context, asking(more)),
    });
    const { url } = listeners[0]!;
    const isServed = async (client?: string): Promise<boolean> =>
      askUrl(url, '/metrics', client === undefined ? {} : { client }).then(
        ({ status }) => status === 200,
        () => false,
      );
    assert.deepEqual([await isServed(), await isServed('stranger'), await isServed('client')], served);
    // Only a certificate that is held against the authority in any case opens the API beyond loopback.
    if (served[0] || served[1])
      assert.equal((await askUrl(url, '/api/v1/status', { client: 'client' })).status, 404);
  });

test('certificate and key in the file itself; TLS 1.2 alone, with the suites and curves that are chosen', async (context) => {
  const indented = (name: string): string =>
    readFileSync(fixture(name), 'utf8').trim().replaceAll(/^/gm, '    ');
  const content =
    `tls_server_config:\n  cert: |\n${indented('server.pem')}\n  key: |\n${indented('server-key.pem')}\n` +
    '  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]\n  curve_preferences: [CurveP384]\n';
  const { listeners } = await openListeners(context, { 'web.config_file': webFile(context, content) });
  const socket = connectTls({
    host: '127.0.0.1',
    port: Number(new URL(listeners[0]!.url).port),
    ca: readFileSync(fixture('authority.pem')),
  });
  context.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  assert.equal(socket.getProtocol(), 'TLSv1.2');
  assert.equal(socket.getCipher().standardName, 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256');
  assert.equal((socket.getEphemeralKeyInfo() as { name?: string }).name, 'secp384r1');
});

test('a password opens the API beyond loopback; the socket asks for none', async (context) => {
  const { listeners } = await openListeners(context, {
    'web.listen_address': ['0.0.0.0:0', '127.0.0.1:0'],
    'web.config_file': webFile(context, tlsOf('server') + users),
  });
  for (const { url } of listeners) {
    for (const path of ['/metrics', '/api/v1/status', '/nothing'])
      assert.equal((await askUrl(url, path)).status, 401, path);
    assert.equal((await askUrl(url, '/-/healthy')).status, 200);
    assert.equal((await askUrl(url, '/api/v1/status', { headers: { authorization } })).status, 200);
  }
});

test('users without TLS, and the first of them while the daemon runs', async (context) => {
  const file = webFile(context, '');
  const { listeners } = await openListeners(context, { 'web.config_file': file });
  const { url } = listeners[0]!;
  assert.match(url, /^http:/);
  assert.equal((await askUrl(url, '/metrics')).status, 200);
  replace(file, users);
  assert.equal((await askUrl(url, '/metrics')).status, 401);
  assert.equal((await askUrl(url, '/metrics', { headers: { authorization } })).status, 200);
});

test('a client that never begins its handshake does not hold up the end for long', async (context) => {
  const patience = { ...usualPatience, handshake: 300 };
  const { listeners } = await openListeners(
    context,
    { 'web.config_file': webFile(context, tlsOf('server')) },
    patience,
  );
  const { url, close } = listeners[0]!;
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const ended = new Promise((resolve) => socket.on('close', resolve));
  socket.on('error', () => {});
  await new Promise((resolve) => socket.on('connect', resolve));
  await askUrl(url, '/-/healthy');
  await close();
  await ended;
});

test('a file that is not valid opens nothing', async (context) => {
  for (const content of ['tls: {}', tlsOf('nothing')])
    await assert.rejects(
      openListeners(context, { 'web.config_file': webFile(context, content) }),
      /unknown|knows no key|cannot be read/,
    );
});
