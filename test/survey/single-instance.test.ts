import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { otherInstance } from '../../src/survey/single-instance.js';

const instance = new URL('../../src/survey/single-instance.js', import.meta.url).href;

const prelude = (directory: string): string => `
import { claimHost, otherInstance } from ${JSON.stringify(instance)};
const directory = ${JSON.stringify(directory)};
const config = { web: { listen_address: ['127.0.0.1:10465', '[::1]:10465'] }, allow_second: false };
const log = { warn: (text) => console.log('warned: ' + text) };
const claim = (more = {}) => claimHost({ ...config, ...more }, log, directory).then(
  () => 'claimed',
  ({ code, message, fix }) => code + ': ' + message + ' / ' + fix,
);
`;

/** What /run/mmaplockd is elsewhere. */
const directoryFor = (context: TestContext): string => {
  const directory = mkdtempSync(path.join(tmpdir(), 'mmaplockd-instance-'));
  context.after(() => rmSync(directory, { recursive: true }));
  return directory;
};

const start = (directory: string, body: string): { child: ChildProcess; lines: AsyncIterator<string> } => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', prelude(directory) + body], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 120_000,
  });
  return { child, lines: createInterface({ input: child.stdout! })[Symbol.asyncIterator]() };
};

/** Runs a module; gives the lines it printed. */
const run = async (directory: string, body: string): Promise<string[]> => {
  const { child, lines } = start(directory, body);
  const ended = once(child, 'exit');
  const all: string[] = [];
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) all.push(line.value);
  assert.equal((await ended)[0], 0, all.join('\n'));
  return all;
};

const claims = 'console.log(await claim());';
const goesOn = 'setInterval(() => {}, 1000);';

test('the first daemon claims the host, the second is told who holds it', async (t) => {
  const directory = directoryFor(t);
  assert.equal(await otherInstance(directory), undefined);
  const { child, lines } = start(directory, claims + goesOn);
  t.after(() => child.kill('SIGKILL'));
  assert.equal((await lines.next()).value, 'claimed');
  const holder = `pid ${child.pid}, 127.0.0.1:10465 [::1]:10465`;
  assert.equal(await otherInstance(directory), holder);
  const [second = ''] = await run(directory, claims);
  assert.ok(second.startsWith(`already_running: another mmaplockd runs on this host: ${holder} / `), second);
  assert.match(second, /--allow-second/);
  assert.deepEqual(await run(directory, 'console.log(await claim({ allow_second: true }));'), [
    `warned: another mmaplockd runs on this host: ${holder}`,
    'claimed',
  ]);
  assert.equal(await otherInstance(directory), holder);
});

test('the mark keeps no process alive, and leaves one file behind', async (t) => {
  const directory = directoryFor(t);
  for (const number of [1, 2, 3]) {
    assert.deepEqual(await run(directory, claims), ['claimed']);
    assert.deepEqual(readdirSync(directory), [`instance-${number}.sock`]);
  }
});

test('of a daemon that was killed the mark is taken over at once', async (t) => {
  const directory = directoryFor(t);
  const { child, lines } = start(directory, claims + goesOn);
  assert.equal((await lines.next()).value, 'claimed');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(await otherInstance(directory), undefined);
  assert.deepEqual(await run(directory, claims), ['claimed']);
});

test('of eight that start at once exactly one claims the host, five times over a mark of the dead', async (t) => {
  const directory = directoryFor(t);
  const whenAsked = `process.stdin.once('data', async () => { ${claims} }); console.log('up'); ${goesOn}`;
  for (let round = 1; round <= 5; round += 1) {
    const all = Array.from({ length: 8 }, () => start(directory, whenAsked));
    t.after(() => {
      for (const { child } of all) child.kill('SIGKILL');
    });
    for (const { lines } of all) assert.equal((await lines.next()).value, 'up');
    for (const { child } of all) child.stdin!.write('now\n');
    const said = await Promise.all(all.map(async ({ lines }) => (await lines.next()).value as string));
    const told = `round ${round}: ${said.join('\n')}`;
    assert.equal(said.filter((line) => line === 'claimed').length, 1, told);
    assert.equal(said.filter((line) => line.startsWith('already_running')).length, 7, told);
    for (const { child } of all) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
});

/** Somebody listens where the mark is, and answers in a way of its own. */
const stranger = async (context: TestContext, answer: (socket: Socket) => void): Promise<string> => {
  const directory = directoryFor(context);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(path.join(directory, 'instance-1.sock'), resolve));
  context.after(() => server.close());
  return directory;
};

test('a holder that does not answer does not hold up the start', { timeout: 20_000 }, async (t) => {
  assert.equal(await otherInstance(await stranger(t, () => {})), 'it does not answer');
  assert.equal(await otherInstance(await stranger(t, (socket) => socket.destroy())), 'it does not answer');
});

test('what a holder says is bounded in length and time, and harmless in a terminal', {
  timeout: 20_000,
}, async (t) => {
  const coloured = await stranger(t, (socket) => socket.end('pid 1\x1b[31m\n\u00e9'));
  assert.equal(await otherInstance(coloured), 'pid 1[31m');
  const endless = await stranger(t, (socket) => socket.end('x'.repeat(10_000)));
  assert.equal(await otherInstance(endless), 'x'.repeat(200));
  const dripping = await stranger(t, (socket) => {
    const drip = setInterval(() => socket.write('x'), 100);
    socket.on('close', () => clearInterval(drip));
  });
  assert.match((await otherInstance(dripping)) ?? '', /^x{1,20}$/);
});

test('who is not root cannot keep it from starting', {
  skip: process.geteuid?.() !== 0 && 'not root',
}, async (t) => {
  // Held under the name that any user may bind: that of the mark up to 0.1.0.
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen('\0mmaplockd', resolve));
  t.after(() => squatter.close());
  assert.deepEqual(await run(directoryFor(t), claims), ['claimed']);
  // In a directory that is not root's alone nobody is believed.
  const writable = await stranger(t, (socket) => socket.end('pid 1, it runs, go away'));
  chmodSync(writable, 0o777);
  assert.equal(await otherInstance(writable), undefined);
  assert.deepEqual(await run(writable, claims), [
    `warned: a second mmaplockd on this host would not be noticed: others than its owner may write to ${writable}`,
    'claimed',
  ]);
});

test('where there can be no mark that is said, and the daemon goes on', async (t) => {
  const directory = path.join(directoryFor(t), 'x'.repeat(300));
  const [warning = '', claimed] = await run(directory, claims);
  assert.match(warning, /^warned: a second mmaplockd on this host would not be noticed: ENAMETOOLONG/);
  assert.equal(claimed, 'claimed');
});
