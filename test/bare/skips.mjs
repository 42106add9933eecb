/** Compares what is skipped on the bare host with what is skipped here. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Skips that a bare host may have although the same test runs here, each with the reason why that is right. */
const allowed = [
  {
    file: 'deploy/package/package.test.js',
    why: 'the manual page is one text on every host, and lintian reads it too',
  },
];

/** What a suite skipped when it last ran in a build, or undefined where it did not. */
const skipsIn = (dist, suite) => {
  const file = join(dist, 'test-skips', `${suite}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
};

const isSame = (skip) => (other) => other.file === skip.file && other.name === skip.name;

/** The skips in `bareDist` that neither `hostDist` has nor the list above allows; prints all of the former. */
export const unexpectedSkips = (suite, hostDist, bareDist, print) => {
  const bare = skipsIn(bareDist, suite);
  if (bare === undefined) return [`${suite} left no results`];
  const here = skipsIn(hostDist, suite);
  if (here === undefined) print(`${suite} did not run here: every skip on the bare host counts`);
  for (const { file, name, reason } of bare) print(`skipped on the bare host: ${file}: ${name}: ${reason}`);
  return bare
    .filter((skip) => !(here ?? []).some(isSame(skip)) && !allowed.some(({ file }) => file === skip.file))
    .map(({ file, name }) => `${file}: ${name}`);
};
