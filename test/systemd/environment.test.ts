import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeNotifyEnvironment } from '../../src/systemd/environment.js';

const socket = '/run/systemd/notify';

test('the socket and the time of the watchdog are read, and no child will see them', () => {
  const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '120000000', WATCHDOG_PID: '77', PATH: '/usr/bin' };
  assert.deepEqual(takeNotifyEnvironment(env, 77), { socket, watchdogMilliseconds: 120_000 });
  assert.deepEqual(env, { PATH: '/usr/bin' });
});

test('without a socket nobody is to be told, and a watchdog alone changes nothing', () => {
  const env = { WATCHDOG_USEC: '120000000' };
  assert.equal(takeNotifyEnvironment(env, 77), undefined);
  assert.deepEqual(env, {});
  assert.equal(takeNotifyEnvironment({ NOTIFY_SOCKET: '' }, 77), undefined);
});

test('a watchdog for another process, or of no time, is not ours', () => {
  const others = [
    { WATCHDOG_USEC: '120000000', WATCHDOG_PID: '78' },
    { WATCHDOG_USEC: '0' },
    { WATCHDOG_USEC: '-1' },
    { WATCHDOG_USEC: '2min' },
    {},
  ];
  for (const other of others)
    assert.deepEqual(takeNotifyEnvironment({ NOTIFY_SOCKET: socket, ...other }, 77), {
      socket,
      watchdogMilliseconds: undefined,
    });
});

test('a watchdog without a process means whoever reads it', () => {
  const told = takeNotifyEnvironment({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1500' }, 77);
  assert.equal(told?.watchdogMilliseconds, 1.5);
});
