/**
 * Runs the two commands of the README on a bare host: a fresh Debian root that holds Node, npm and nothing else
 * that this project needs. A reused machine hides a missing installation step; this does not. Then it installs the
 * package there and runs the daemon of it.
 *
 * Run it as root from a clone: `node test/bare/run.mjs`. What is tested is HEAD, as somebody else would clone it.
 * Of the tests it runs the exact waits, which need bpftrace, perf and a compiler; `--whole` runs all of `npm test` and
 * of the live suite. `--images` only makes the root that is kept.
 * It ends with one line `N passed, N failed, N skipped`; the logs of the commands are in dist/bare/.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeRoot } from '../roots/cache.mjs';
import { openHost } from './host.mjs';
import { buildDeb, demoOf, fragmentsIn, installDeb } from './installed.mjs';
import { createRoot, makeRootImage } from './root.mjs';
import { unexpectedSkips } from './skips.mjs';

const project = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const logs = join(project, 'dist', 'bare');

const minute = 60_000;
const firstStart = 5 * minute;
const laterStart = minute / 2;
const testRun = 20 * minute;
const stopTime = minute / 2;

/** The arguments of each `npm test`. */
const testRuns = process.argv.includes('--whole') ? [['unit'], ['live']] : [['live', 'waits']];

const counts = { passed: 0, failed: 0, skipped: 0 };
const print = (line) => process.stdout.write(`${line}\n`);

const check = (name, complaint) => {
  counts[complaint === undefined ? 'passed' : 'failed'] += 1;
  print(complaint === undefined ? `ok: ${name}` : `failed: ${name}: ${complaint}`);
};

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** Loopback is shared with the host, so the port must be free there. */
const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Resolves to undefined once the daemon says that it observes, else to what stood in the way. */
const untilReady = async (url, command, deadline) => {
  let last = 'no answer';
  while (performance.now() < deadline) {
    if (command.hasEnded()) return 'it ended by itself';
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
      const body = await response.text();
      if (response.status === 200) return undefined;
      last = `${response.status} ${body.trim()}`;
    } catch (error) {
      last = error.cause?.code ?? error.name;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return `not ready in time; the last answer was: ${last}`;
};

const showLog = (file) => {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-40);
  print(lines.map((line) => `  | ${line}`).join('\n'));
};

const checkStart = async (host, name, start, allowance) => {
  const port = await freePort();
  const log = join(logs, `${name.replaceAll(' ', '-')}.log`);
  const began = performance.now();
  const command = host.run([...start, '--web.listen-address', `127.0.0.1:${port}`], log);
  const complaint = await untilReady(`http://127.0.0.1:${port}/-/ready`, command, began + allowance);
  check(`${name} reaches ready (${seconds(began)})`, complaint);
  const status = await command.stop('SIGTERM', stopTime);
  check(`${name}: it ends with 0 on SIGTERM`, status === 0 ? undefined : `it ended with ${status}`);
  const left = host.strays();
  check(`${name}: no process is left behind`, left.length === 0 ? undefined : left.join(', '));
  host.endStrays();
  if (complaint !== undefined || status !== 0) showLog(log);
  return readFileSync(log, 'utf8');
};

const checkTest = async (host, root, args) => {
  const name = ['npm test', ...args].join(' ');
  const log = join(logs, `${name.replaceAll(' ', '-')}.log`);
  const began = performance.now();
  const status = await host.run(['npm', 'test', '--', ...args], log).end(testRun);
  const total = readFileSync(log, 'utf8')
    .match(/^\d+ passed, (\d+) failed, \d+ skipped$/gm)
    ?.at(-1);
  const passed = status === 0 && total !== undefined && / 0 failed/.test(total);
  check(
    `${name} passes (${seconds(began)}; ${total ?? 'no totals'})`,
    passed ? undefined : `it ended with ${status}`,
  );
  if (!passed) showLog(log);
  const skips = unexpectedSkips(args[0], join(project, 'dist'), join(root, 'src', 'dist'), print);
  check(`${name} skips nothing that runs outside`, skips.length === 0 ? undefined : skips.join('; '));
  host.endStrays();
};

/** The package, with what the README's commands have installed before: its daemon runs, with every fragment. */
const checkInstalled = async (host, root, deb) => {
  const log = join(logs, 'package.log');
  const complaint = await installDeb(host, root, deb, log);
  check('the package is installed', complaint);
  if (complaint !== undefined) return showLog(log);
  await checkStart(host, 'the daemon of the package', ['mmaplockd', 'run'], firstStart);
  const { found, wanted } = await fragmentsIn(host, project, join(logs, 'package-check.json'));
  const isSame = found.join(' ') === wanted.join(' ');
  check(
    `the package knows the ${wanted.length} fragments of bpf/`,
    isSame ? undefined : `it knows ${found.join(' ')}`,
  );
  const demoLog = join(logs, 'package-demo.log');
  const fault = await demoOf(host, demoLog);
  check('the package shows its demonstration', fault);
  if (fault !== undefined) showLog(demoLog);
};

const start = ['npm', 'start', '--'];

const checkAll = async (root, deb) => {
  const host = await openHost(root);
  try {
    const found = host.programs(['bpftrace', 'gcc', 'bpftool', 'perf', 'promtool']);
    check('the host is bare', found.length === 0 ? undefined : `it holds ${found.join(', ')}`);
    await checkStart(host, 'first npm start', start, firstStart);
    const output = await checkStart(host, 'second npm start', start, laterStart);
    const again = output.match(/^mmaplockd: (installing|compiling|mounted).*/m)?.[0];
    check('second npm start: nothing is prepared again', again);
    for (const args of testRuns) await checkTest(host, root, args);
    await checkInstalled(host, root, await deb);
  } finally {
    host.endStrays();
    await host.close();
  }
};

const summarize = () => print(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);

if (process.platform !== 'linux' || process.getuid() !== 0) {
  print('skipped: bare: it needs root on Linux, to make a root file system and mount in it');
  counts.skipped += 1;
} else if (process.argv.includes('--images')) {
  await makeRootImage(print);
  process.exit();
} else {
  rmSync(logs, { recursive: true, force: true });
  mkdirSync(logs, { recursive: true });
  try {
    // Done meanwhile.
    const deb = buildDeb(project, join(logs, 'packages'));
    deb.catch(() => {});
    const root = await createRoot(project, print);
    try {
      await checkAll(root, deb);
    } finally {
      await removeRoot(root);
    }
  } catch (error) {
    check('the bare host could be made and used', error.stack);
  }
}
summarize();
process.exitCode = counts.failed === 0 ? 0 : 1;
