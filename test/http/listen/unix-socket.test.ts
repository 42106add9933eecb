import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MmaplockError } from '../../../src/errors.js';
import { freeSocketPath } from '../../../src/http/listen/unix-socket.js';
import { temporaryFolder } from '../../bpftrace/fake.js';
import { askUrl, hash, openListeners, webFile } from '../../support/web.js';

const socketIn = (context: TestContext): string => join(temporaryFolder(context), 'mmaplockd.sock');

const open = (context: TestContext, path: string, more: Readonly<Record<string, unknown>> = {}) =>
  openListeners(context, { 'web.unix_socket': path, ...more });

/** A socket that a process bound, listened on, and left behind when it was killed. */
const leaveSocket = (path: string): void => {
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  assert.equal(spawnSync(process.execPath, ['-e', script]).signal, 'SIGKILL');
  assert.ok(lstatSync(path).isSocket());
};

const assertRefused = async (opening: Promise<unknown>, code: string, part: RegExp): Promise<void> => {
  await assert.rejects(opening, (error) => {
    assert.ok(error instanceof MmaplockError, String(error));
    assert.deepEqual([error.code, error.field], [code, 'web.unix_socket'], error.message);
    assert.match(error.message, part);
    assert.match(error.fix, /--web\.unix-socket/);
    return true;
  });
};

test('serves everything without a password, and only its owner and group', async (context) => {
  const path = socketIn(context);
  const content = `basic_auth_users: {prometheus: ${hash}}`;
  const { listeners } = await open(context, path, { 'web.config_file': webFile(context, content) });
  const url = listeners[1]?.url;
  assert.equal(url, `unix:${path}`);
  assert.equal(lstatSync(path).mode & 0o777, 0o660);
  for (const target of ['/', '/metrics', '/-/ready', '/api/v1/status', '/openapi.json'])
    assert.equal((await askUrl(url, target)).status, 200, target);
  assert.equal((await askUrl(url, '/api/v1/inspect', { method: 'POST' })).status, 403, 'inspect.api is off');
});

test('names of this host are its names', async (context) => {
  const path = socketIn(context);
  await open(context, path);
  assert.equal((await askUrl(`unix:${path}`, '/', { headers: { host: 'localhost' } })).status, 200);
  assert.equal((await askUrl(`unix:${path}`, '/', { headers: { host: 'evil.example' } })).status, 421);
});

test('none is opened unless it is named', async (context) => {
  const { listeners } = await open(context, '');
  assert.equal(listeners.length, 1);
});

test('it is gone when the daemon has ended', async (context) => {
  const path = socketIn(context);
  const { listeners } = await open(context, path);
  assert.ok(existsSync(path));
  await listeners[1]?.close();
  assert.ok(!existsSync(path));
});

test('what a killed daemon left behind is in nobody’s way', async (context) => {
  const path = socketIn(context);
  leaveSocket(path);
  await open(context, path);
  assert.equal((await askUrl(`unix:${path}`, '/-/healthy')).status, 200);
});

test('a socket somebody listens on is left alone, and what was opened before it is closed again', async (context) => {
  const path = socketIn(context);
  const { listeners } = await open(context, path);
  const port = new URL(listeners[0]!.url).port;
  await assertRefused(
    open(context, path, { 'web.listen_address': [`127.0.0.2:${port}`] }),
    'port_in_use',
    /somebody listens there/,
  );
  await assert.rejects(fetch(`http://127.0.0.2:${port}/-/healthy`));
  assert.equal((await askUrl(`unix:${path}`, '/-/healthy')).status, 200);
});

test('what is no socket is left alone', async (context) => {
  const path = socketIn(context);
  writeFileSync(path, 'mine');
  await assertRefused(open(context, path), 'port_in_use', /no socket/);
  assert.equal(readFileSync(path, 'utf8'), 'mine');
});

test('a link is no socket, wherever it leads', async (context) => {
  const path = socketIn(context);
  const left = join(temporaryFolder(context), 'left.sock');
  leaveSocket(left);
  symlinkSync(left, path);
  await assertRefused(open(context, path), 'port_in_use', /no socket/);
  assert.ok(existsSync(path) && lstatSync(left).isSocket());
});

test('a directory that is not there is told', async (context) => {
  const path = join(temporaryFolder(context), 'nowhere', 'mmaplockd.sock');
  await assertRefused(open(context, path), 'listen_failed', /cannot listen on .*nowhere/);
});

test('a place that is free stays as it is', async (context) => {
  const path = socketIn(context);
  await freeSocketPath(path);
  assert.ok(!existsSync(path));
});
