import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { openSource } from '../../../src/cli/top/source.js';
import { loadConfig } from '../../../src/config/load.js';

const config = loadConfig({ flags: {}, env: {}, file: undefined });
const web = (more: Partial<typeof config.web>) => ({ web: { ...config.web, unix_socket: '', ...more } });

const listening = async (
  context: TestContext,
  answer: RequestListener,
  where: { path: string } | { port: number } = { port: 0 },
): Promise<string> => {
  const server = createServer(answer);
  context.after(() => server.close());
  await new Promise<void>((resolve) => server.listen({ ...where, host: '127.0.0.1' }, resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const saying =
  (body: string, status = 200): RequestListener =>
  (_, response) => {
    response.statusCode = status;
    response.end(body);
  };

test('the daemon of this host is asked at its address, also where that is every address', async (t) => {
  const address = await listening(t, saying('{"x":1}'));
  const port = address.split(':')[1];
  for (const listen of [address, `0.0.0.0:${port}`, `[::]:${port}`]) {
    const source = openSource(undefined, web({ listen_address: [listen] }));
    assert.deepEqual(await source.get('/'), { x: 1 }, listen);
    assert.equal(source.name, address);
  }
});

test('its unix socket goes first, where there is one', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mmaplockd-source-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const socket = path.join(folder, 'socket');
  const address = await listening(t, saying('{"by":"address"}'));
  const settings = web({ unix_socket: socket, listen_address: [address] });
  assert.deepEqual(await openSource(undefined, settings).get('/'), { by: 'address' });
  await listening(t, saying('{"by":"socket"}'), { path: socket });
  assert.deepEqual(await openSource(undefined, settings).get('/'), { by: 'socket' });
});

test('user and password of --url are sent, and shown nowhere', async (t) => {
  const address = await listening(t, (request, response) => {
    response.statusCode = 401;
    response.end(JSON.stringify({ detail: `wrong: ${request.headers.authorization}` }));
  });
  const source = openSource(`http://me:s%40cret@${address}`, web({}));
  assert.equal(source.name, `http://${address}`);
  await assert.rejects(source.get('/'), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'daemon_unreachable');
    assert.ok(error.message.includes(Buffer.from('me:s@cret').toString('base64')), error.message);
    assert.doesNotMatch(error.message, /cret@/);
    return true;
  });
});

test('not ready is an answer; an error, what is no JSON, and nobody are none', async (t) => {
  const at = async (answer: RequestListener) => openSource(`http://${await listening(t, answer)}`, web({}));
  assert.deepEqual(await (await at(saying('{"ready":false}', 503))).get('/'), { ready: false });
  await assert.rejects((await at(saying('{"detail":"no such path"}', 404))).get('/'), /no such path/);
  await assert.rejects((await at(saying('<html>'))).get('/'), { code: 'daemon_unreachable' });
  await assert.rejects(openSource('http://127.0.0.1:1', web({})).get('/'), {
    code: 'daemon_unreachable',
    message: /127\.0\.0\.1:1 does not tell: .*ECONNREFUSED/,
  });
});

test('what is no address is refused by the name of its flag', () => {
  for (const text of ['localhost:10465', 'ftp://host', 'nothing'])
    assert.throws(() => openSource(text, web({})), { code: 'invalid_flag', message: /^--url: / });
});
