import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { readRegularFile } from '../../src/config/regular-file.js';
import { temporaryFolder } from '../bpftrace/fake.js';

test('a file is read whole, also through a link, up to the longest there may be', (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'file');
  writeFileSync(file, 'x'.repeat(100));
  symlinkSync(file, path.join(folder, 'link'));
  assert.equal(readRegularFile(path.join(folder, 'link'), 100).toString(), 'x'.repeat(100));
  assert.throws(() => readRegularFile(file, 99), /longer than 99 bytes/);
  writeFileSync(file, '');
  assert.equal(readRegularFile(file, 0).length, 0);
});

test('a file that says it is empty and is not is read', () => {
  assert.match(readRegularFile('/proc/self/status', 65_536).toString('latin1'), /^Name:/);
});

test('what is no file is said at once', { timeout: 20_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const pipe = path.join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  assert.throws(() => readRegularFile(pipe, 10), /^Error: it is a pipe; a regular file is needed$/);
  assert.throws(() => readRegularFile(folder, 10), /a directory/);
  assert.throws(() => readRegularFile('/dev/zero', 10), /a device/);
  const socket = path.join(folder, 'socket');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.after(() => server.close());
  assert.throws(() => readRegularFile(socket, 10), /a socket/);
  assert.throws(() => readRegularFile(path.join(folder, 'none'), 10), /ENOENT/);
});
