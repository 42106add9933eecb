/** In a network namespace of its own, for there may be a daemon on this host already. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const unshare = ['unshare', '--map-root-user', '--net'] as const;
const probe = spawnSync(unshare[0], [...unshare.slice(1), 'true'], { encoding: 'utf8' });
const skip = probe.status === 0 ? false : `no network namespace of our own: ${probe.stderr?.trim()}`;

const instance = new URL('../src/instance.js', import.meta.url).href;
const prelude = `
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { claimHost, otherInstance } from ${JSON.stringify(instance)};
const config = { web: { listen_address: ['127.0.0.1:10465', '[::1]:10465'] }, allow_second: false };
const log = { warn: (text) => console.log('warned: ' + text) };
const claim = (more = {}) => claimHost({ ...config, ...more }, log).then(
  () => 'claimed',
  ({ code, message, fix }) => code + ': ' + message + ' / ' + fix,
);
`;

/** Runs a module in a fresh namespace; gives the lines it printed. */
const run = async (body: string): Promise<string[]> => {
  const child: ChildProcess = spawn(
    unshare[0],
    [...unshare.slice(1), process.execPath, '--input-type=module', '-e', prelude + body],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      timeout: 120_000,
    },
  );
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line));
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0, lines.join('\n'));
  return lines;
};

test('the first daemon claims the host, the second is told who holds it', { skip }, async () => {
  const [before, first, holder, second] = await run(`
    console.log(await otherInstance());
    console.log(await claim());
    console.log((await otherInstance()).replace(String(process.pid), 'PID'));
    console.log((await claim()).replace(String(process.pid), 'PID'));
  `);
  assert.equal(before, 'undefined');
  assert.equal(first, 'claimed');
  assert.equal(holder, 'pid PID, 127.0.0.1:10465 [::1]:10465');
  assert.match(
    second ?? '',
    /^already_running: another mmaplockd runs on this host: pid PID, 127.* --allow-second/,
  );
});

test('where a second one is allowed it says so and goes on', { skip }, async () => {
  const lines = await run(`
    await claim();
    console.log(await claim({ allow_second: true }));
  `);
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? '', /^warned: another mmaplockd runs on this host: pid \d+, 127/);
  assert.equal(lines[1], 'claimed');
});

test('the mark keeps no process alive, and is gone with its process, however that ended', {
  skip,
}, async () => {
  const lines = await run(`
    const hold = ${JSON.stringify(prelude)} + "console.log(await claim()); setInterval(() => {}, 1000);";
    const child = spawn(process.execPath, ['--input-type=module', '-e', hold], { stdio: ['ignore', 'pipe', 'inherit'] });
    console.log(String((await once(child.stdout, 'data'))[0]).trim());
    console.log((await otherInstance()).startsWith('pid ' + child.pid + ','));
    child.kill('SIGKILL');
    await once(child, 'exit');
    console.log(await otherInstance());
    console.log(await claim());
  `);
  assert.deepEqual(lines, ['claimed', 'true', 'undefined', 'claimed']);
});

/** Someone else holds the name and answers in a way of his own. */
const stranger = (answer: string): string => `
  createServer((socket) => { socket.on('error', () => {}); ${answer} }).listen('\\0mmaplockd').unref();
  console.log(JSON.stringify(await otherInstance()));
  process.exit(0);
`;

test('a holder that does not answer does not hold up the start', { skip }, async () => {
  assert.deepEqual(await run(stranger('')), ['"it does not answer"']);
  assert.deepEqual(await run(stranger('socket.destroy();')), ['"it does not answer"']);
});

test('what a holder says is bounded and harmless in a terminal', { skip }, async () => {
  assert.deepEqual(await run(stranger("socket.end('pid 1\\x1b[31m\\n\\u00e9');")), ['"pid 1[31m"']);
  const [endless] = await run(stranger("setInterval(() => socket.write('x'.repeat(30)), 20);"));
  assert.equal(endless, JSON.stringify('x'.repeat(200)));
});
