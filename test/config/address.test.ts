import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHost, parseListenAddress } from '../../src/config/address.js';

test('a listen address is a host and a port, IPv6 in brackets', () => {
  assert.deepEqual(parseListenAddress('127.0.0.1:10465'), { host: '127.0.0.1', port: 10_465 });
  assert.deepEqual(parseListenAddress('[::1]:0'), { host: '::1', port: 0 });
  assert.deepEqual(parseListenAddress('localhost:65535'), { host: 'localhost', port: 65_535 });
  assert.deepEqual(parseListenAddress('db-1.example.org:80'), { host: 'db-1.example.org', port: 80 });
});

for (const text of [
  '',
  ':10465',
  '10465',
  '127.0.0.1',
  '127.0.0.1:',
  '127.0.0.1:65536',
  '127.0.0.1:-1',
  '127.0.0.1:1e3',
  '127.0.0.1:80 ',
  '256.0.0.1:80',
  '1.2.3:80',
  '::1:80',
  '[127.0.0.1]:80',
  '[::1:80',
  'a b:80',
  'a\nb:80',
  'http://localhost:80',
  `${'a'.repeat(64)}:80`,
]) {
  test(`no listen address: ${JSON.stringify(text)}`, () => {
    assert.equal(parseListenAddress(text), undefined);
  });
}

test('a host carries no port', () => {
  assert.equal(isHost('monitor.example.org'), true);
  assert.equal(isHost('[fe80::1]'), true);
  assert.equal(isHost('monitor:80'), false);
  assert.equal(isHost('fe80::1'), false);
});
