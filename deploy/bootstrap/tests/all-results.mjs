/** What `npm run test:all` found last: a table for people, and for its next run, in test/all.md. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { filesUnder } from '../build.mjs';
import { root } from '../paths.mjs';

const file = join(root, 'test/all.md');

/** Written by tests themselves: they would invalidate what has just been found. */
const records = ['test/all.md', 'test/tested.json'];

const heading = `# What \`npm run test:all\` found

Written by it. \`tree\` is the hash of what a suite runs and tests (deploy/bootstrap/tests/all.mjs): where it is still the same
and nothing failed, the next \`npm run test:all\` keeps the row and does not run the suite again.

| suite | passed | failed | skipped | retried | seconds | slowness | tree |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
`;

const row =
  /^\| ([a-z0-9.-]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| ([\d.]+) \| ([0-9a-f]{12}) \|$/gm;

/** By name. */
export const readResults = () => {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return new Map(
    [...text.matchAll(row)].map(([, name, passed, failed, skipped, retried, seconds, slowness, tree]) => [
      name,
      {
        ...{ name, passed: Number(passed), failed: Number(failed), skipped: Number(skipped) },
        ...{ retried: Number(retried), seconds: Number(seconds), slowness: Number(slowness), tree },
      },
    ]),
  );
};

/** Writes those of the results that are known, in the order of the names. */
export const writeResults = (results, names) => {
  const lines = names
    .filter((name) => results.has(name))
    .map((name) => {
      const { passed, failed, skipped, retried, seconds, slowness, tree } = results.get(name);
      const figures = [passed, failed, skipped, retried, Math.round(seconds), slowness.toFixed(2)];
      return `| ${name} | ${figures.join(' | ')} | ${tree} |\n`;
    });
  writeFileSync(file, heading + lines.join(''));
};

/** Of the names and contents of files and folders of the project. */
export const hashOfTree = (paths) => {
  const hash = createHash('sha256');
  const files = paths.flatMap((path) =>
    statSync(join(root, path)).isDirectory() ? filesUnder(join(root, path)) : [join(root, path)],
  );
  for (const found of files) {
    const name = relative(root, found);
    if (!records.includes(name)) hash.update(`${name}\0`).update(readFileSync(found)).update('\0');
  }
  return hash.digest('hex').slice(0, 12);
};
