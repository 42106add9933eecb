/** The built daemon, started as systemd starts it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { packageRoot } from '../../src/package-root.js';
import { fakeNotify } from './fake.js';

const mainFile = path.join(packageRoot, 'dist/src/main.js');

/** It finds no bpftrace, so it can observe nothing whatever the host. */
const started = (context: TestContext, env: NodeJS.ProcessEnv): ChildProcess => {
  const args = ['--web.listen-address', '127.0.0.1:0', '--bpftrace.path', '/nonexistent', '--allow-second'];
  const child = spawn(process.execPath, [mainFile, 'run', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env,
  });
  context.after(() => child.kill('SIGKILL'));
  return child;
};

test('a host that can observe nothing is ready all the same, and says why', {
  timeout: 300_000,
}, async (context) => {
  const { folder, path: PATH, said } = fakeNotify(context);
  const changes = watch(folder);
  context.after(() => changes.close());
  const child = started(context, { PATH, NOTIFY_SOCKET: '@nobody', WATCHDOG_USEC: '3000000' });

  const until = async (seen: () => boolean): Promise<void> => {
    while (!seen()) await once(changes, 'change', { signal: context.signal });
  };
  await until(() => said().length >= 2);
  const [first, second] = said();
  assert.deepEqual(first?.slice(0, 2), ['READY=1', 'WATCHDOG=1']);
  assert.match(first?.[2] ?? '', /^STATUS=Not observing: /);
  assert.equal(second?.[0], 'WATCHDOG=1', 'it is said again after a third of the time of the watchdog');

  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
  assert.deepEqual(said().at(-1), ['STOPPING=1', 'STATUS=Ending.']);
  const statuses = said().flatMap((message) => message.filter((one) => one.startsWith('STATUS=')));
  assert.ok(
    statuses.some((status) => status.includes('/nonexistent')),
    statuses.join('\n'),
  );
});

test('where systemd does not listen it starts no child to say anything', {
  timeout: 300_000,
}, async (context) => {
  const { path: PATH, said } = fakeNotify(context);
  const child = started(context, { PATH, WATCHDOG_USEC: '300000' });
  for await (const text of child.stderr!) if (String(text).includes('not observing')) break;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
  assert.deepEqual(said(), []);
});

test('at SIGUSR1 it goes on, and opens no port for a debugger', { timeout: 300_000 }, async (context) => {
  const { path: PATH } = fakeNotify(context);
  const child = started(context, { PATH });
  let said = '';
  for await (const text of child.stderr!) {
    said += String(text);
    if (said.includes('not observing')) break;
    // By now it runs.
    if (said.includes('"serving"')) child.kill('SIGUSR1');
  }
  child.kill('SIGUSR1');
  // It answers another signal, which came later.
  const exited = once(child, 'exit');
  child.kill('SIGHUP');
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
  assert.doesNotMatch(said, /Debugger listening/);
});
