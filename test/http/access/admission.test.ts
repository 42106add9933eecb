import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { InjectOptions } from 'fastify';
import { BasicGuard } from '../../../src/http/access/basic-auth.js';
import { RateLimit } from '../../../src/http/access/rate-limit.js';
import { buildApp, type Scope } from '../../../src/http/app.js';
import { WebConfig } from '../../../src/http/listen/web-config.js';
import { createLog } from '../../../src/log/log.js';
import { temporaryFolder } from '../../bpftrace/fake.js';
import { problemOf } from '../../support/app.js';
import { quietDaemon } from '../../support/scenes.js';
import { authorization, basic, hash, webFile } from '../../support/web.js';

const users = `basic_auth_users: {prometheus: ${hash}}\n`;
const paths = ['/', '/metrics', '/-/ready', '/api/v1/status', '/api/v1/waits', '/openapi.json', '/nothing'];

interface Options {
  readonly host?: string;
  readonly scope?: Scope;
  readonly content?: string;
  readonly flags?: Readonly<Record<string, unknown>>;
}

const open = async (
  context: TestContext,
  { host = '0.0.0.0', scope = 'api', content = users, flags = {} }: Options = {},
) => {
  const log: string[] = [];
  const stream = { write: (line: string) => log.push(line) };
  const pino = createLog({ level: 'info', format: 'json', stream });
  const daemon = quietDaemon({ flags });
  const web = new WebConfig(webFile(context, content), pino);
  const guard = new BasicGuard({ users: () => web.current().users, now: daemon.view.monotonic });
  const rate = new RateLimit({ rate: () => web.current().rate, now: daemon.view.monotonic });
  const app = await buildApp(daemon.view, pino, { host, scope, door: { web, guard, rate } });
  context.after(() => app.close());
  const ask = (
    url: string,
    headers: InjectOptions['headers'] = {},
    method: 'GET' | 'POST' | 'HEAD' = 'GET',
  ) => app.inject({ method, url, headers: { host: '10.1.2.3:10465', ...headers } });
  return { ask, log };
};

test('with users every path asks for a password, whether it is there or not', async (context) => {
  const { ask, log } = await open(context);
  for (const path of paths) {
    const answer = await ask(path);
    problemOf(answer, 401, 'unauthorized');
    assert.match(String(answer.headers['www-authenticate']), /^Basic /, path);
    assert.equal((await ask(path, { authorization })).statusCode, path === '/nothing' ? 404 : 200, path);
  }
  problemOf(await ask('/metrics', {}, 'POST'), 401, 'unauthorized');
  assert.deepEqual(log, [], 'what clients do wrong does not fill the log');
});

test('but /-/healthy, for a probe of Kubernetes has none', async (context) => {
  const { ask } = await open(context);
  assert.equal((await ask('/-/healthy')).statusCode, 200);
  assert.equal((await ask('/-/healthy', {}, 'HEAD')).statusCode, 200);
  for (const path of [
    '/-/healthy/',
    '//-/healthy',
    '/-/healthy/../ready',
    '/-/healthy',
    '/metrics?/-/healthy',
  ])
    if (path !== '/-/healthy') problemOf(await ask(path), 401, 'unauthorized');
});

test('guessing ends with 429 and Retry-After', async (context) => {
  const { ask } = await open(context);
  for (let guess = 0; guess < 10; guess += 1)
    problemOf(await ask('/metrics', { authorization: basic('prometheus', `${guess}`) }), 401, 'unauthorized');
  const answer = await ask('/metrics', { authorization });
  const { fix } = problemOf(answer, 429, 'too_many_failures');
  assert.match(fix, /password/);
  assert.equal(answer.headers['retry-after'], '60');
});

test('by an address of the network everything is served, by a name that is not known metrics alone', async (context) => {
  const { ask } = await open(context, { flags: { 'web.allowed_hosts': ['db1.internal'] } });
  for (const host of ['10.1.2.3', '[fd00::7]:10465', 'db1.internal:10465', 'localhost'])
    assert.equal((await ask('/api/v1/status', { host, authorization })).statusCode, 200, host);
  const host = 'db2.internal:10465';
  for (const path of ['/metrics', '/-/healthy', '/-/ready'])
    assert.equal((await ask(path, { host, authorization })).statusCode, 200, path);
  for (const path of ['/', '/api/v1/status', '/openapi.json', '/nothing', '/metrics/', '/%6detrics/x'])
    problemOf(await ask(path, { host, authorization }), 421, 'host_not_allowed');
});

test('on loopback no path is served by a name that is not known', async (context) => {
  const { ask } = await open(context, { host: '127.0.0.1', scope: 'everything' });
  for (const path of ['/metrics', '/-/healthy'])
    problemOf(await ask(path, { host: 'db2.internal', authorization }), 421, 'host_not_allowed');
});

test('headers of the file are on every answer', async (context) => {
  const headers =
    'http_server_config: {headers: {X-Frame-Options: deny, Strict-Transport-Security: max-age=600}}\n';
  const { ask } = await open(context, { content: users + headers });
  for (const path of [...paths, '/-/healthy'])
    for (const sent of [{}, { authorization }, { host: 'evil.example' }]) {
      const answer = await ask(path, sent);
      assert.equal(answer.headers['x-frame-options'], 'deny', path);
      assert.equal(answer.headers['strict-transport-security'], 'max-age=600', path);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff', path);
    }
  const stream = await ask('/api/v1/stream', { authorization }, 'HEAD');
  assert.equal(stream.headers['x-frame-options'], 'deny');
});

test('inspect mode asks for its token where others ask for a password, and is for this host alone', async (context) => {
  const token = join(temporaryFolder(context), 'token');
  writeFileSync(token, '0123456789abcdef');
  const flags = { 'inspect.api': 'on', 'inspect.token_file': token };
  const bearer = { host: 'localhost', authorization: 'Bearer 0123456789abcdef' };
  const local = await open(context, { host: '127.0.0.1', scope: 'everything', flags });
  // Nothing can be inspected here: that is said to those alone who were let in.
  problemOf(await local.ask('/api/v1/inspect', bearer, 'POST'), 503, 'inspect_unavailable');
  for (const sent of [{}, { authorization }]) {
    const answer = await local.ask('/api/v1/inspect', { host: 'localhost', ...sent }, 'POST');
    problemOf(answer, 401, 'unauthorized');
    assert.equal(answer.headers['www-authenticate'], 'Bearer');
  }
  problemOf(await local.ask('/api/v1/inspect', bearer), 401, 'unauthorized');
  problemOf(await local.ask('/api/v1/status', bearer), 401, 'unauthorized');
  const remote = await open(context, { flags });
  problemOf(await remote.ask('/api/v1/inspect', { authorization }, 'POST'), 404, 'not_found');
  problemOf(await remote.ask('/api/v1/inspect', bearer, 'POST'), 401, 'unauthorized');
});

test('/openapi.json tells that a password is asked for', async (context) => {
  const { ask } = await open(context);
  const { security, components } = (await ask('/openapi.json', { authorization })).json();
  assert.deepEqual(security, [{ basic: [] }]);
  assert.equal(components.securitySchemes.basic.scheme, 'basic');
});
