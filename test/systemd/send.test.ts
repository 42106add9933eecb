import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSend } from '../../src/systemd/send.js';
import { fakeNotify } from './fake.js';

const socket = '@somewhere';

test('all assignments go into one message, to the socket that systemd named', async (context) => {
  const { path, said } = fakeNotify(context, 'set -- "$@" "to $NOTIFY_SOCKET"');
  await createSend({ socket, path })(['READY=1', 'STATUS=Observing, but: not "all" of it.']);
  assert.deepEqual(said(), [['READY=1', 'STATUS=Observing, but: not "all" of it.', `to ${socket}`]]);
});

test('messages arrive in the order in which they were sent, even where the first takes longest', async (context) => {
  const { path, said } = fakeNotify(context, '[ "$2" != READY=1 ] || sleep 0.2');
  const send = createSend({ socket, path });
  await Promise.all([send(['READY=1']), send(['WATCHDOG=1']), send(['STOPPING=1'])]);
  assert.deepEqual(said(), [['READY=1'], ['WATCHDOG=1'], ['STOPPING=1']]);
});

test('one that fails is told with its reason, and holds up none that follows', async (context) => {
  const { path, said } = fakeNotify(
    context,
    '[ "$2" != READY=1 ] || { echo "Failed to notify" >&2; exit 1; }',
  );
  const send = createSend({ socket, path });
  const failed = assert.rejects(send(['READY=1']), {
    code: 'notify_failed',
    message: 'systemd-notify: Failed to notify',
  });
  await send(['WATCHDOG=1']);
  await failed;
  assert.deepEqual(said(), [['WATCHDOG=1']]);
});

test('a host without systemd-notify gets a coded error, and the next try its chance', async (context) => {
  const send = createSend({ socket, path: '/nonexistent' });
  const missing = { code: 'notify_failed', message: /^systemd-notify: .*ENOENT/ };
  await assert.rejects(send(['READY=1']), missing);
  await assert.rejects(send(['READY=1']), missing);
  const { path, said } = fakeNotify(context);
  await createSend({ socket, path })(['READY=1']);
  assert.equal(said().length, 1);
});
