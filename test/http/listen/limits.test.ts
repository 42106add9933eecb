/** Listeners under those who do not behave: they answer with a problem or close, and go on. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildApp } from '../../../src/http/app.js';
import { longestTarget, mostConnections, usualPatience } from '../../../src/http/listen/limits.js';
import { createLog } from '../../../src/log/log.js';
import { temporaryFolder } from '../../bpftrace/fake.js';
import { askRaw, openRaw, type RawConnection } from '../../support/raw.js';
import { quietDaemon } from '../../support/scenes.js';
import { askUrl, openListeners, tlsOf, webFile } from '../../support/web.js';

const head = 'HTTP/1.1\r\nHost: localhost\r\n';
const last = `${head}Connection: close\r\n\r\n`;

const assertProblem = (answer: string, status: number, code: string): void => {
  assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), answer.slice(0, 300));
  assert.match(answer, /\r\ncontent-type: application\/problem\+json/i);
  assert.match(answer, /\r\nx-content-type-options: nosniff\r\n/i);
  assert.match(answer, /\r\nconnection: close\r\n/i);
  assert.equal(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).code, code);
};

for (const [what, bytes] of [
  ['no HTTP', 'nonsense\r\n\r\n'],
  ['TLS to a port without', Buffer.from('160301020001000001fc0303', 'hex')],
  ['an unknown method', `FETCH / ${last}`],
  ['another protocol', 'GET / HTTP/9.9\r\n\r\n'],
  ['no Host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ['two Hosts', `GET / HTTP/1.1\r\nHost: localhost\r\nHost: example.org\r\nConnection: close\r\n\r\n`],
  ['a header without a colon', `GET / ${head}nonsense\r\n\r\n`],
  ['a header with a control byte', `GET / ${head}A: b\0c\r\n\r\n`],
  ['a space before the colon', `GET / ${head}A : b\r\n\r\n`],
  ['two lengths', `POST / ${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx`],
  ['a length and chunks', `POST / ${head}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['a length that is none', `POST / ${head}Content-Length: -1\r\n\r\n`],
] as const)
  test(`${what}: 400 and an end`, async (context) => {
    const { listeners, log } = await openListeners(context, {});
    const answer = await askRaw(listeners[0]!.url, bytes);
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assertProblem(answer, 400, 'malformed_request');
    assert.equal((await askUrl(listeners[0]!.url, '/-/healthy')).status, 200);
    assert.deepEqual(log, [], 'what strangers send fills no log');
  });

test('headers beyond 16 KiB: 431, a path beyond 4096 characters: 414', async (context) => {
  const { listeners } = await openListeners(context, {});
  const { url } = listeners[0]!;
  assertProblem(
    await askRaw(url, `GET / ${head}Cookie: ${'a'.repeat(17_000)}\r\n\r\n`),
    431,
    'head_too_large',
  );
  assertProblem(
    await askRaw(url, `GET /${'a'.repeat(longestTarget)} HTTP/1.1\r\nHost: localhost\r\n\r\n`),
    414,
    'target_too_long',
  );
  assert.match(await askRaw(url, `GET /metrics?${'a'.repeat(1000)} ${last}`), /^HTTP\/1\.1 200 /);
});

test('a body that is too long, or of no known length: 413, and none of it is waited for', async (context) => {
  const { listeners } = await openListeners(context, {});
  const { url } = listeners[0]!;
  const post = (more: string) => askRaw(url, `POST /metrics ${head}${more}`);
  assertProblem(await post('Content-Length: 1000000\r\n\r\n'), 413, 'body_too_large');
  assertProblem(await post('Transfer-Encoding: chunked\r\n\r\n'), 413, 'body_too_large');
  assert.match(await post('Connection: close\r\nContent-Length: 5\r\n\r\nabcde'), /^HTTP\/1\.1 405 /);
});

test('an expectation that nobody knows is passed over, an id that is too long is named', async (context) => {
  const { listeners } = await openListeners(context, {});
  const { url } = listeners[0]!;
  assert.match(
    await askRaw(url, `GET /-/healthy HTTP/1.1\r\nExpect: x\r\nHost: localhost\r\nConnection: close\r\n\r\n`),
    /^HTTP\/1\.1 200 /,
  );
  const answer = await askRaw(url, `GET /api/v1/incidents/${'a'.repeat(3000)} ${last}`);
  assertProblem(answer, 400, 'invalid_parameter');
  assert.match(answer, /"field":"id"/);
});

test('HEAD, OPTIONS and methods that are not served', async (context) => {
  const { listeners } = await openListeners(context, {});
  const { url } = listeners[0]!;
  assert.match(await askRaw(url, `HEAD /metrics ${last}`), /^HTTP\/1\.1 200 .*\r\n\r\n$/s);
  for (const method of ['OPTIONS', 'DELETE', 'PUT', 'PATCH', 'TRACE', 'PROPFIND', 'MKCOL', 'PURGE'])
    assert.match(
      await askRaw(url, `${method} /metrics ${last}`),
      /^HTTP\/1\.1 40[45] .*"code":"(?:method_not_allowed|not_found)"/s,
      method,
    );
  assert.equal(await askRaw(url, `CONNECT localhost:22 ${head}\r\n`), '', 'it is no proxy');
  const upgrade = await askRaw(
    url,
    `GET /-/healthy ${head}Upgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n`,
  );
  assert.match(upgrade, /^HTTP\/1\.1 200 /, 'nothing else is spoken, so the request is as any');
});

test('requests one behind the other are answered in their order; after one that is none nothing is', async (context) => {
  const { listeners } = await openListeners(context, {});
  const { url } = listeners[0]!;
  const paths = ['/-/healthy', '/nothing', '/api/v1/status', '/-/healthy'];
  const answer = await askRaw(
    url,
    `${paths.map((path) => `GET ${path} ${head}\r\n`).join('')}GET /metrics ${last}GET /metrics ${last}`,
  );
  assert.deepEqual(
    Array.from(answer.matchAll(/HTTP\/1\.1 (\d+) /g), ([, status]) => status),
    ['200', '404', '200', '200', '200'],
  );
});

test('no answer tells what serves it, and all tell browsers what they must not do', async (context) => {
  const { listeners } = await openListeners(context, {});
  for (const path of ['/', '/metrics', '/-/ready', '/api/v1/status', '/openapi.json', '/nothing', '/%zz']) {
    const { headers } = await askUrl(listeners[0]!.url, path);
    assert.deepEqual([headers.server, headers['x-powered-by']], [undefined, undefined]);
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
    assert.equal(headers['x-frame-options'], 'deny', path);
    assert.match(
      String(headers['content-security-policy']),
      /default-src 'none'.*frame-ancestors 'none'/,
      path,
    );
    assert.equal(headers['referrer-policy'], 'no-referrer', path);
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin', path);
    assert.equal(headers['access-control-allow-origin'], undefined, path);
  }
});

test('headers of http_server_config come in the place of ours', async (context) => {
  const content = `http_server_config: {headers: {X-Frame-Options: sameorigin, Strict-Transport-Security: max-age=60}}`;
  const { listeners } = await openListeners(context, { 'web.config_file': webFile(context, content) });
  const { headers } = await askUrl(listeners[0]!.url, '/metrics');
  assert.equal(headers['x-frame-options'], 'sameorigin');
  assert.equal(headers['strict-transport-security'], 'max-age=60');
  assert.equal(headers['x-content-type-options'], 'nosniff');
});

test('rate_limit: 429 with Retry-After, for all TCP listeners together', async (context) => {
  const content = 'rate_limit: {interval: 1m, burst: 3}';
  const { listeners } = await openListeners(context, { 'web.config_file': webFile(context, content) });
  const { url } = listeners[0]!;
  for (let asked = 0; asked < 3; asked += 1) assert.equal((await askUrl(url, '/-/healthy')).status, 200);
  const answer = await askUrl(url, '/-/healthy');
  assert.equal(answer.status, 429);
  assert.equal(JSON.parse(answer.body).code, 'too_many_requests');
  assert.match(String(answer.headers['retry-after']), /^\d+$/);
});

/** Connections that have begun a request, as soon as the kernel has taken them; closed after the test. */
const openMany = async (context: TestContext, url: string, count: number): Promise<RawConnection[]> => {
  const all = Array.from({ length: count }, () => openRaw(url, `GET /api/v1/status ${head}`));
  context.after(() => {
    for (const { socket } of all) socket.destroy();
  });
  await Promise.all(all.map(({ socket }) => once(socket, 'connect')));
  return all;
};

test('a listener takes so many connections; newcomers take the seats of those that never say what they want', async (context) => {
  const { listeners, log } = await openListeners(context, {});
  const { url } = listeners[0]!;
  const open = await openMany(context, url, mostConnections.ofAll + 10);
  const closed = new Set<RawConnection>();
  for (const connection of open) void connection.ended.then(() => closed.add(connection));
  for (let asked = 0; asked < 5; asked += 1)
    assert.match(await askRaw(url, `GET /-/healthy ${last}`), /^HTTP\/1\.1 200 /);
  assert.ok(closed.size >= 11, `${closed.size} were closed`);
  assert.ok(closed.size <= 15, `${closed.size} were closed`);
  assert.deepEqual(
    log.map((line) => JSON.parse(line).msg),
    [
      'a listener has as many connections as it takes; for each newcomer the one that waits longest is closed',
    ],
    'said once, not eleven times',
  );
  const seated = open.findLast((connection) => !closed.has(connection))!;
  seated.socket.write('Connection: close\r\n\r\n');
  assert.match(await seated.ended, /^HTTP\/1\.1 200 /);
});

test('of who sends thousands of requests and reads nothing no more are served than the kernel takes', async (context) => {
  const { listeners, daemon } = await openListeners(context, {});
  const { url } = listeners[0]!;
  let made = 0;
  const text = `${'# a scrape of a mebibyte\n'.repeat(2 ** 20 / 25)}`;
  Object.defineProperty(daemon.view, 'metrics', {
    value: async () => {
      made += 1;
      return { contentType: 'text/plain', text, gzipped: async () => Buffer.from(text) };
    },
  });
  const attackers = Array.from({ length: 8 }, () => openRaw(url, `GET /metrics ${head}\r\n`.repeat(4000)));
  context.after(() => {
    for (const { socket } of attackers) socket.destroy();
  });
  for (const { socket } of attackers) socket.pause();
  for (let asked = 0; asked < 5; asked += 1)
    assert.match(await askRaw(url, `GET /-/healthy ${last}`), /^HTTP\/1\.1 200 /);
  // A socket of loopback holds some 6 MiB on its way.
  assert.ok(made > 0 && made < 8 * 16, `${made} answers were made`);
});

test('the end does not wait for answers that nobody reads', async (context) => {
  const { listeners } = await openListeners(context, {}, { ...usualPatience, end: 300 });
  const { url } = listeners[0]!;
  const slow = openRaw(url, `GET /api/v1/stream ${head}\r\n`);
  const another = openRaw(url, `GET /openapi.json ${head}\r\n`.repeat(16));
  for (const { socket } of [slow, another]) socket.pause();
  context.after(() => {
    for (const { socket } of [slow, another]) socket.destroy();
  });
  assert.match(await askRaw(url, `GET /-/healthy ${last}`), /^HTTP\/1\.1 200 /);
  const begun = performance.now();
  await listeners[0]!.close();
  const took = performance.now() - begun;
  assert.ok(took < usualPatience.end, `it took ${Math.round(took)} ms`);
});

test('clients that keep their connections do not keep others out', async (context) => {
  const { listeners } = await openListeners(context, {});
  const { url } = listeners[0]!;
  const idle = Array.from({ length: mostConnections.ofAll - 1 }, () =>
    openRaw(url, `GET /-/healthy ${head}\r\n`),
  );
  context.after(() => {
    for (const { socket } of idle) socket.destroy();
  });
  await Promise.all(idle.map(({ socket }) => once(socket, 'data')));
  for (let asked = 0; asked < 5; asked += 1)
    assert.match(await askRaw(url, `GET /-/healthy ${last}`), /^HTTP\/1\.1 200 /);
});

test('the end does not wait for requests that never come in', async (context) => {
  const { listeners } = await openListeners(context, {});
  const open = await openMany(context, listeners[0]!.url, 3);
  assert.match(await askRaw(listeners[0]!.url, `GET /-/healthy ${last}`), /^HTTP\/1\.1 200 /);
  const begun = performance.now();
  await listeners[0]!.close();
  await Promise.all(open.map(({ ended }) => ended));
  const took = performance.now() - begun;
  assert.ok(took < usualPatience.head, `it took ${Math.round(took)} ms`);
});

test('the socket has seats of its own', async (context) => {
  const path = join(temporaryFolder(context), 'socket');
  const { listeners } = await openListeners(context, { 'web.unix_socket': path });
  await openMany(context, listeners[0]!.url, mostConnections.ofAll + 1);
  assert.equal((await askUrl(listeners[1]!.url, '/api/v1/status')).status, 200);
});

test('a listener gives clients 10 s for a head, 30 s for a request, 72 s between two and 60 s without a byte', async (context) => {
  const log = createLog({ level: 'silent', format: 'json', stream: { write: () => {} } });
  const app = await buildApp(quietDaemon().view, log, { host: '127.0.0.1', scope: 'everything' });
  context.after(() => app.close());
  const { headersTimeout, requestTimeout, keepAliveTimeout, timeout } = app.server;
  assert.deepEqual(
    [headersTimeout, requestTimeout, keepAliveTimeout, timeout],
    [10_000, 30_000, 72_000, 60_000],
  );
});

test('who sends a request byte by byte, or none at all, is told 408 and closed once the time for a head is over', async (context) => {
  const patience = { ...usualPatience, head: 600, handshake: 300, between: 50 };
  const tlsFile = webFile(context, tlsOf('server'));
  const tls = await openListeners(context, { 'web.config_file': tlsFile }, patience);
  const { listeners } = await openListeners(context, {}, patience);
  const { url } = listeners[0]!;
  const begun = performance.now();
  const slow = openRaw(url, `GET / ${head}`);
  const dripping = setInterval(() => slow.socket.write('a: b\r\n'), 30);
  context.after(() => clearInterval(dripping));
  const silent = openRaw(url);
  const silentTls = createConnection(Number(new URL(tls.listeners[0]!.url).port), '127.0.0.1');
  silentTls.on('error', () => {});
  const handshake = once(silentTls, 'close').then(() => performance.now() - begun);
  assertProblem(await slow.ended, 408, 'request_timeout');
  assertProblem(await silent.ended, 408, 'request_timeout');
  // Each is closed by a timer of the server, and by none of the usual ones, which are ten times as long.
  const took = performance.now() - begun;
  assert.ok(took >= patience.head, `closed after ${Math.round(took)} ms`);
  assert.ok(took < usualPatience.head, `closed after ${Math.round(took)} ms`);
  const silentTook = await handshake;
  assert.ok(silentTook >= patience.handshake, `a handshake ended after ${Math.round(silentTook)} ms`);
  assert.ok(silentTook < usualPatience.handshake, `a handshake ended after ${Math.round(silentTook)} ms`);
});
