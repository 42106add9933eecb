/** Compares what is skipped on the bare host with what is skipped here. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Skips that a bare host may have although the same test runs here, each with the reason why that is right. */
const allowed = [
  {
    file: 'deploy/package.test.js',
    why: 'the manual page is one text on every host, and lintian reads it too',
  },
];

/** The arguments of the last `npm test` and what it skipped, or undefined where there was none. */
const resultsIn = (dist) => {
  const file = join(dist, 'test-results.json');
  if (!existsSync(file)) return undefined;
  const { args, suites } = JSON.parse(readFileSync(file, 'utf8'));
  return { args, skips: suites.flatMap(({ skips }) => skips) };
};

/** The skips in `bareDist` that neither `hostDist` has nor the list above allows; prints all of the former. */
export const unexpectedSkips = (hostDist, bareDist, print) => {
  const bare = resultsIn(bareDist)?.skips;
  if (bare === undefined) return ['npm test left no results'];
  const outside = resultsIn(hostDist);
  const here = outside?.args.length === 0 ? outside.skips : undefined;
  if (here === undefined) print('no results of a whole `npm test` here to compare with: every skip counts');
  for (const { file, name, reason } of bare) print(`skipped on the bare host: ${file}: ${name}: ${reason}`);
  const isSame = (skip) => (other) => other.file === skip.file && other.name === skip.name;
  return bare
    .filter((skip) => !(here ?? []).some(isSame(skip)) && !allowed.some(({ file }) => file === skip.file))
    .map(({ file, name }) => `${file}: ${name}`);
};
