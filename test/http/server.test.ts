import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { MmaplockError } from '../../src/errors.js';
import { buildApp } from '../../src/http/app.js';
import { type Listener, listen } from '../../src/http/server.js';
import { createLog } from '../../src/log/log.js';
import { askSharedApp, openApp, problemOf } from '../support/app.js';
import { FakeDaemon } from '../support/daemon.js';
import { quietDaemon } from '../support/scenes.js';

const ask = askSharedApp(quietDaemon());

const everywhere = ['/', '/metrics', '/-/healthy', '/-/ready', '/api/v1/status', '/openapi.json', '/nothing'];
const silent = createLog({ level: 'silent', format: 'json', stream: { write: () => {} } });

for (const host of [
  'evil.example',
  'evil.example:10465',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  'localhost@evil.example',
  'evil.example#localhost',
  'xlocalhost',
  'localhost:80:80',
  'localhost:port',
  'localhost.',
  '0.0.0.0:10465',
  '[::]:10465',
  '10.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '[::ffff:127.0.0.1]',
  '[::1',
  '::1',
  ' ',
])
  test(`Host "${host}" is refused on every path`, async () => {
    for (const path of [...everywhere, '/api/v1/waits?limit=0']) {
      const { field } = problemOf(await ask(path, { headers: { host } }), 421, 'host_not_allowed');
      assert.equal(field, 'Host');
    }
  });

for (const host of [
  'localhost',
  'localhost:10465',
  'LocalHost:1',
  '127.0.0.1',
  '127.0.0.1:10465',
  '127.8.7.6:10465',
  '[::1]',
  '[::1]:10465',
])
  test(`Host "${host}" is accepted`, async () => {
    assert.equal((await ask('/api/v1/status', { headers: { host } })).statusCode, 200);
  });

test('names of the configuration are accepted as Host, with any port and in any case', async (context) => {
  const daemon = new FakeDaemon({
    flags: { 'web.allowed_hosts': ['db1.Internal', '10.0.0.7', '[FD00::7]'] },
  });
  const { ask } = await openApp(context, daemon);
  for (const host of ['db1.internal', 'DB1.internal:10465', '10.0.0.7:80', '[fd00::7]', '[fd00::7]:80'])
    assert.equal((await ask('/api/v1/status', { headers: { host } })).statusCode, 200, host);
  for (const host of ['db2.internal', 'x.db1.internal', '10.0.0.8'])
    problemOf(await ask('/api/v1/status', { headers: { host } }), 421, 'host_not_allowed');
});

test('forwarding headers do not stand in for Host', async (context) => {
  const { ask } = await openApp(context);
  const headers = { host: 'evil.example', 'x-forwarded-host': 'localhost', forwarded: 'host=localhost' };
  problemOf(await ask('/', { headers }), 421, 'host_not_allowed');
});

test('the name it listens on is accepted as Host', async (context) => {
  const app = await buildApp(new FakeDaemon().view, silent, { host: 'Loop.test', scope: 'everything' });
  context.after(() => app.close());
  assert.equal((await app.inject({ url: '/', headers: { host: 'loop.test:1' } })).statusCode, 200);
});

test('a listener for metrics takes any Host, and serves nothing but /metrics and /-/*', async (context) => {
  const { ask } = await openApp(context, quietDaemon(), 'metrics');
  for (const host of ['evil.example', 'db1.internal:10465', '10.0.0.1', 'localhost']) {
    for (const path of ['/metrics', '/-/healthy', '/-/ready'])
      assert.equal((await ask(path, { headers: { host } })).statusCode, 200, path);
    for (const path of [
      '/',
      '/api/v1/status',
      '/api/v1/waits',
      '/api/v1/processes',
      '/api/v1/readers',
      '/api/v1/blocks',
      '/openapi.json',
    ])
      problemOf(await ask(path, { headers: { host } }), 404, 'not_found');
  }
  problemOf(await ask('/metrics', { method: 'POST' }), 405, 'method_not_allowed');
});

test('no answer may be sniffed for another type', async () => {
  for (const path of everywhere)
    assert.equal((await ask(path)).headers['x-content-type-options'], 'nosniff', path);
});

/** Opens the listeners of a configuration on ports that the kernel chooses; they are closed after the test. */
const open = async (context: TestContext, addresses: readonly string[]): Promise<Listener[]> => {
  const daemon = quietDaemon({ flags: { 'web.listen_address': addresses } });
  const listeners = await listen(daemon.view, silent);
  context.after(() => Promise.all(listeners.map((listener) => listener.close())));
  return listeners;
};

/** Sends bytes to a listener; resolves to all that comes back before the connection ends. */
const raw = (url: string, request: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text) => {
      answer += text;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
    socket.write(request);
  });

test('loopback serves everything, other addresses metrics only', async (context) => {
  const [loopback, other] = await open(context, ['127.0.0.1:0', '0.0.0.0:0']);
  assert.match(loopback!.url, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
  assert.equal((await fetch(`${loopback!.url}/api/v1/status`)).status, 200);
  const port = new URL(other!.url).port;
  assert.equal((await fetch(`http://127.0.0.1:${port}/api/v1/status`)).status, 404);
  assert.equal((await fetch(`http://127.0.0.1:${port}/metrics`)).status, 200);
});

test('an address in use is told, and what was opened already is closed again', async (context) => {
  const [taken] = await open(context, ['127.0.0.1:0']);
  const { host, port } = new URL(taken!.url);
  // Another loopback address with the same port: free.
  const free = `127.0.0.2:${port}`;
  await assert.rejects(
    open(context, [free, host]),
    (error) =>
      error instanceof MmaplockError &&
      error.code === 'port_in_use' &&
      error.field === 'web.listen_address' &&
      error.message.includes(host),
  );
  await assert.rejects(fetch(`http://${free}/-/healthy`), 'nothing listens there any more');
});

test('an address that is none of this machine is told', async (context) => {
  // 192.0.2.0/24 is for documentation (RFC 5737).
  await assert.rejects(
    open(context, ['192.0.2.1:0']),
    (error) => error instanceof MmaplockError && error.code === 'listen_failed',
  );
});

test('requests that are no HTTP, or too long, or have no Host, are refused and do no harm', async (context) => {
  const [{ url } = { url: '' }] = await open(context, ['127.0.0.1:0']);
  const get = (path: string, headers = 'Host: localhost\r\n') =>
    raw(url, `GET ${path} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`);
  assert.match(await raw(url, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(await get(`/${'a'.repeat(20_000)}`), /^HTTP\/1\.1 431 /);
  assert.match(await get('/', ''), /^HTTP\/1\.1 400 /);
  assert.match(await raw(url, 'GET / HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 421 .*host_not_allowed/s);
  assert.match(await get('/%zz'), /^HTTP\/1\.1 400 .*application\/problem\+json/s);
  const body = `POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\nConnection: close\r\n\r\n`;
  assert.match(await raw(url, body + 'x'.repeat(5000)), /^HTTP\/1\.1 405 /);
  assert.match(await get('/-/healthy'), /^HTTP\/1\.1 200 /);
});
