import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askSharedApp, openApp, problemOf } from '../support/app.js';
import { FakeDaemon } from '../support/daemon.js';
import { quietDaemon } from '../support/scenes.js';

const ask = askSharedApp();

const api = ['/api/v1/status', '/api/v1/waits', '/api/v1/processes', '/api/v1/readers', '/api/v1/blocks'];
const all = [...api, '/', '/metrics', '/-/healthy', '/-/ready', '/openapi.json'];

for (const path of api) {
  for (const [query, field] of [
    ['nonsense=1', 'nonsense'],
    ['limits=10', 'limits'],
    ['Limit=10', 'Limit'],
    ['limit%5B%5D=1', 'limit[]'],
    ['__proto__=1', '__proto__'],
    ['constructor=1', 'constructor'],
    ['constructor[prototype][x]=1', 'constructor[prototype][x]'],
    ['%zz=1', '%zz'],
    ['%00=1', '\0'],
    ['=1', ''],
    ['<script>=1', '<script>'],
  ] as const)
    test(`${path}?${query}: unknown parameter`, async () => {
      assert.equal(problemOf(await ask(`${path}?${query}`), 400, 'unknown_parameter').field, field);
    });

  test(`${path}: a parameter name of 4,000 characters is refused, and not sent back whole`, async () => {
    const answer = await ask(`${path}?${'a'.repeat(4000)}=1`);
    problemOf(answer, 400, 'unknown_parameter');
    assert.ok(answer.body.length < 1000, `${answer.body.length} characters`);
  });

  test(`${path}: of 500 parameters one is told`, async () => {
    const query = Array.from({ length: 500 }, (_, index) => `p${index}=1`).join('&');
    problemOf(await ask(`${path}?${query}`), 400, 'unknown_parameter');
  });

  test(`${path}: an empty query is none`, async () => {
    assert.equal((await ask(`${path}?`)).statusCode, 200);
    assert.equal((await ask(`${path}?&&`)).statusCode, 200);
  });
}

for (const path of [
  '/nothing',
  '/api',
  '/api/v1',
  '/api/v2/waits',
  '/api/v1/waits/',
  '/api/v1/waits/1',
  '//api/v1/waits',
  '/metrics/',
  '/METRICS',
  '/-/',
  '/../etc/passwd',
  '/%2e%2e/etc/passwd',
  '/%00',
  '/api/v1/%77aits%00',
  '/favicon.ico',
])
  test(`there is nothing at ${path}`, async () => {
    problemOf(await ask(path), 404, 'not_found');
  });

test('a path of 3,000 characters is not found, and not sent back whole', async () => {
  const answer = await ask(`/${'a'.repeat(3000)}?${'b'.repeat(1000)}`);
  problemOf(answer, 404, 'not_found');
  assert.ok(answer.body.length < 1000, `${answer.body.length} characters`);
});

for (const path of ['/%zz', '/api/v1/%', '/%c3%28'])
  test(`the path ${path} cannot be decoded`, async () => {
    assert.equal(problemOf(await ask(path), 400, 'invalid_parameter').field, 'path');
  });

for (const path of all)
  test(`${path} takes GET and HEAD only`, async (context) => {
    const { ask } = await openApp(context, quietDaemon());
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'] as const) {
      const answer = await ask(path, { method: method as 'POST' });
      assert.match(problemOf(answer, 405, 'method_not_allowed').detail, new RegExp(method));
      assert.equal(answer.headers.allow, 'GET, HEAD');
      assert.equal(answer.headers['access-control-allow-origin'], undefined, 'no other origin may ask');
    }
    const [get, head] = [await ask(path), await ask(path, { method: 'HEAD' })];
    assert.equal(head.statusCode, get.statusCode);
    assert.equal(head.body, '');
    assert.equal(head.headers['content-type'], get.headers['content-type']);
    assert.equal(head.headers['x-content-type-options'], 'nosniff');
  });

for (const [what, type, payload] of [
  ['a form', 'application/x-www-form-urlencoded', 'a=b'],
  ['broken JSON', 'application/json', '{'],
  ['no JSON', 'application/json', ''],
  ['a large body', 'text/plain', 'x'.repeat(10_000)],
  ['an unknown type', 'application/x-unknown', 'x'],
] as const)
  test(`${what} does not hide that the method is wrong`, async () => {
    const headers = { 'content-type': type };
    problemOf(await ask('/api/v1/waits', { method: 'POST', payload, headers }), 405, 'method_not_allowed');
    problemOf(await ask('/nothing', { method: 'POST', payload, headers }), 404, 'not_found');
  });

test('a defect inside is told without its stack; the log has it', async (context) => {
  const daemon = new FakeDaemon();
  const secret = 'the ledger is upside down';
  const broken = (): never => {
    throw new TypeError(secret);
  };
  Object.assign(daemon.view, { metrics: async () => broken(), readiness: broken, plan: broken });
  const { ask, log } = await openApp(context, daemon);
  const paths = ['/metrics', '/-/ready', '/api/v1/status', '/'];
  for (const path of paths) {
    const answer = await ask(path);
    problemOf(answer, 500, 'internal_error');
    assert.doesNotMatch(answer.body, /upside down|TypeError|\bat .*\.js|node_modules/);
  }
  assert.equal(log.length, paths.length);
  for (const line of log) {
    const { level, err } = JSON.parse(line);
    assert.equal(level, 'error');
    assert.match(err.stack, /upside down.*\.js:\d+/s);
  }
  assert.equal((await ask('/-/healthy')).statusCode, 200, 'it lives on');
});

test('what clients do wrong does not fill the log', async (context) => {
  const { ask, log } = await openApp(context);
  for (const path of ['/nothing', '/%zz', '/api/v1/waits?x=1', '/api/v1/waits?limit=0']) await ask(path);
  await ask('/metrics', { method: 'POST', payload: 'x' });
  await ask('/metrics', { headers: { host: 'evil.example' } });
  assert.deepEqual(log, []);
});
