/** The suites of test files: which files each holds. test/README.md says what each proves and when to run it. */
import { availableParallelism } from 'node:os';

/** For one file with all its tests. */
const fileMinutes = 10;

const notUnit = /^(live|faults|soak|browser|bare|kernels\/guest|package\/guest)\//;

/** Files that lie in a folder itself. They watch the kernel of this host: two at once would see each other. */
const directlyIn = (folder) => ({
  concurrency: 1,
  holds: (path) => path.startsWith(`${folder}/`) && !path.includes('/', folder.length + 1),
});

/** Files that take minutes each, since what they do is bounded by counts. */
const longOf = (folder) => ({ ...directlyIn(`${folder}/long`), fileMinutes: 3 * fileMinutes });

const table = {
  unit: { concurrency: availableParallelism(), pooled: true, holds: (path) => !notUnit.test(path) },
  core: { concurrency: 1, holds: (path) => path === 'live/core.test.js' },
  live: directlyIn('live'),
  faults: directlyIn('faults'),
  siege: directlyIn('faults/siege'),
  'long-faults': longOf('faults'),
  browser: directlyIn('browser'),
  'long-browser': longOf('browser'),
  // Its tables are filled before the minutes that count begin.
  soak: { ...directlyIn('soak'), fileMinutes: 2 * fileMinutes },
};

export const suites = Object.entries(table).map(([name, suite]) => ({ name, fileMinutes, ...suite }));

/**
 * The commands that run suites: those that one may name, and those that run when none is named and no part of a file
 * name is given. `core` is a part of `live`.
 */
export const commands = {
  test: { known: ['unit', 'core', 'live'], usual: ['unit', 'core'] },
  faults: { known: ['faults', 'siege', 'long-faults'], usual: ['faults', 'siege'] },
  page: { known: ['browser', 'long-browser'], usual: ['browser'] },
  soak: { known: ['soak'], usual: ['soak'] },
};
