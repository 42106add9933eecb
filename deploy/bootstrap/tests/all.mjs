/**
 * `npm run test:all`: everything there is, for over an hour. Each suite's result is kept with the hash of what it runs
 * and tests, so a second call runs what is missing, what has failed and what has changed.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { matrix } from '../../../test/kernels/matrix.mjs';
import { root } from '../paths.mjs';
import { CannotGoOn } from '../report.mjs';
import { hashOfTree, readResults, writeResults } from './all-results.mjs';
import { measureSlowness } from './slowness.mjs';
import { runStep, summarize } from './steps.mjs';

const npm = (script, ...args) => ['npm', 'run', '--silent', script, '--', ...args];
const node = (...args) => [process.execPath, ...args];

const everything = [
  '.ci',
  'bpf',
  'deploy',
  'src',
  'test',
  'README.md',
  'biome.json',
  'package.json',
  'tsconfig.json',
];
const product = ['bpf', 'package-lock.json', 'src', 'tsconfig.json'];
/** Of all that run a daemon; the tests of test/live themselves are of their suite alone. */
const support = ['test/live/support', 'test/support', 'test/workload'];
const installed = [...support, 'deploy/debian', 'deploy/package', 'test/faults/support'];
const inBrowser = [...installed, 'test/browser/support'];
const guests = [...support, 'deploy/debian', 'deploy/package', 'test/kernels', 'test/roots'];

/** The tests of a folder, without those of the folders in it. */
const testsIn = (folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name}`);

/** Two CPUs: one for a guest, one for the soak. */
const besideSoak = { TEST_GUESTS: '1' };

/** The kernels of one version, whole: a row of its own, so that one that fails costs no other. */
const kernels = (version) => ({
  name: `kernels-${version}`,
  command: npm(
    'test:kernels',
    ...matrix.map(({ name }) => name).filter((name) => name.split('-')[0] === version),
    '--whole',
  ),
  isGuest: true,
  isQuiet: true,
  tree: guests,
});

/**
 * `tree`: what a suite runs and tests besides the product. How the suites are started is not in it.
 * `isGuest`: it is in an emulator. `patience`: times that its deadlines are longer. Suites of one group run side by side,
 * those of one track after each other.
 */
const groups = [
  [[{ name: 'types', command: node('deploy/bootstrap.mjs', 'build'), isOneTest: true, tree: everything }]],
  [
    [
      {
        name: 'lint',
        command: ['npx', '--no-install', 'biome', 'check', '.'],
        isOneTest: true,
        tree: everything,
      },
    ],
  ],
  [
    [
      {
        name: 'unit',
        command: ['npm', 'test', '--silent', '--', 'unit'],
        env: { TEST_DEPTH: '10' },
        tree: everything,
      },
    ],
  ],
  [
    [
      {
        name: 'live',
        command: ['npm', 'test', '--silent', '--', 'live'],
        tree: [...support, 'deploy/grafana', 'deploy/prometheus', 'test/live'],
      },
    ],
  ],
  [
    [
      {
        name: 'faults',
        command: npm('test:faults', 'faults'),
        tree: [...installed, ...testsIn('test/faults')],
      },
    ],
  ],
  [[{ name: 'siege', command: npm('test:faults', 'siege'), tree: [...installed, 'test/faults/siege'] }]],
  [
    [
      {
        name: 'long-faults',
        command: npm('test:faults', 'long-faults'),
        tree: [...installed, 'test/faults/long'],
      },
    ],
  ],
  [
    [
      {
        name: 'browser',
        command: npm('test:page', 'browser'),
        tree: [...inBrowser, ...testsIn('test/browser')],
      },
    ],
  ],
  [
    [
      {
        name: 'long-browser',
        command: npm('test:page', 'long-browser'),
        tree: [...inBrowser, 'test/browser/long'],
      },
    ],
  ],
  [
    // Its load takes all the CPU that there is, and the guests have limits on time: it gives way, and has none.
    [
      {
        name: 'soak',
        command: ['nice', '-n', '15', ...npm('test:soak')],
        patience: 12,
        tree: [...installed, 'test/soak'],
      },
    ],
    [
      {
        name: 'package',
        command: npm('test:package'),
        isGuest: true,
        isQuiet: true,
        tree: [...guests, 'deploy/systemd', 'test/package'],
      },
      kernels('6.1'),
      kernels('7.2'),
    ],
    [kernels('6.12'), kernels('7.3'), kernels('5.10')],
  ],
  [[{ name: 'bare', command: node('test/bare/run.mjs', '--whole'), tree: everything }]],
  [
    [
      {
        name: 'reproducible',
        command: node('deploy/package.mjs', '--verify'),
        isOneTest: true,
        tree: ['deploy', 'README.md'],
      },
    ],
  ],
];

const names = groups.flat(2).map(({ name }) => name);
const missing = matrix.filter(({ name }) => !names.includes(`kernels-${name.split('-')[0]}`));
if (missing.length > 0) throw new Error(`no suite runs ${missing.map(({ name }) => name)}`);

/** What the last run found holds while nothing has failed in it and its tree is the same. */
const holds = (result, tree) => result !== undefined && result.failed === 0 && result.tree === tree;

/** The suites named, or all of them. */
const wantedOf = (args) => {
  const unknown = args.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new CannotGoOn(`there is no suite "${unknown}"`, `name some of ${names.join(', ')}`);
  return args.length > 0 ? args : names;
};

/** Runs the suites named, or all; resolves to the exit code. */
export const runAll = async (args) => {
  const wanted = wantedOf(args);
  const results = readResults();
  const run = async ({ tree, patience = 1, isGuest = false, ...step }) => {
    const hash = hashOfTree([...product, ...tree]);
    if (holds(results.get(step.name), hash)) {
      process.stdout.write(`== ${step.name}: passed with this tree before\n`);
      return;
    }
    const slowness = measureSlowness();
    const beside = isGuest && wanted.includes('soak') ? besideSoak : {};
    const env = { ...step.env, ...beside, TEST_SLOWNESS: (patience * Math.max(1, slowness)).toFixed(2) };
    const result = { ...(await runStep({ ...step, env })), slowness, tree: hash };
    results.set(step.name, result);
    // Read again: another that runs other suites beside this one has written meanwhile.
    writeResults(readResults().set(step.name, result), names);
  };
  for (const tracks of groups)
    await Promise.all(
      tracks.map(async (track) => {
        for (const step of track) if (wanted.includes(step.name)) await run(step);
      }),
    );
  return summarize(
    wanted.map((name) => ({ failures: [], ...results.get(name) })),
    ['the table is in test/all.md'],
  );
};
