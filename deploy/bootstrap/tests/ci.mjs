/**
 * `.ci/run`: what must hold before a change is good, the cheapest failure first. test/README.md says what each step
 * proves; what takes longer is in `npm run test:all`.
 */

import { measureSlowness } from './slowness.mjs';
import { runStep, summarize } from './steps.mjs';

/** Seconds on a machine of slowness 1, without the images that had to be made. */
const limitSeconds = 1200;

const npm = (script, ...args) => ['npm', 'run', '--silent', script, '--', ...args];
const node = (...args) => [process.execPath, ...args];
const bootstrap = (...args) => node('deploy/bootstrap.mjs', ...args);

const types = { name: 'types', command: bootstrap('build'), isOneTest: true };
const lint = { name: 'lint', command: ['npx', '--no-install', 'biome', 'check', '.'], isOneTest: true };
const tools = { name: 'tools', command: bootstrap('tools'), isOneTest: true };
const images = { name: 'images', command: bootstrap('images'), isOneTest: true };
const bareImage = { name: 'bare-image', command: node('test/bare/run.mjs', '--images'), isOneTest: true };

/** What a machine has after its first run: counted apart. */
const madeOnce = [tools, images, bareImage];

const unit = { name: 'unit', command: ['npm', 'test', '--silent', '--', 'unit'] };
const bare = { name: 'bare', command: node('test/bare/run.mjs') };
const kernels = { name: 'kernels', command: npm('test:kernels', '--due'), isQuiet: true };

/** Each watches the kernel of this host, and some hold times against a control: nothing runs beside them. */
const alone = [
  { name: 'live', command: ['npm', 'test', '--silent', '--', 'live'] },
  { name: 'faults', command: npm('test:faults') },
  { name: 'browser', command: npm('test:page', 'browser') },
];

const inOrder = async (steps) => {
  const results = [];
  for (const step of steps) results.push(await runStep(step));
  return results;
};

const setSlowness = () => {
  const slowness = measureSlowness();
  process.env.TEST_SLOWNESS = Math.max(1, slowness).toFixed(2);
  return slowness;
};

/** Resolves to the exit code. */
export const runCi = async () => {
  const first = await inOrder([types, lint]);
  if (first.some(({ failed }) => failed > 0))
    return summarize(first, ['stopped: it does not compile, or lint complains']);
  const made = await inOrder(madeOnce);
  const before = setSlowness();
  const guest = runStep(kernels);
  const beside = [...(await inOrder([unit, bare])), await guest];
  const after = setSlowness();
  const results = [...first, ...made, ...beside, ...(await inOrder(alone))];

  const seconds = performance.now() / 1000 - made.reduce((sum, step) => sum + step.seconds, 0);
  const slowness = (before + after) / 2;
  const verdict = seconds > limitSeconds * slowness ? 'over its limit' : 'within its limit';
  return summarize(results, [
    `took ${seconds.toFixed(0)} s besides what is made once, ${verdict} of ${limitSeconds} s x ${slowness.toFixed(2)}`,
  ]);
};
