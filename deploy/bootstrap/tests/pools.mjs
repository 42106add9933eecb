/**
 * Unit test files share processes: to load the program takes a process longer than most files take for their tests.
 *
 * A pool is a module that loads its files one after the other, each within a suite of its own, so that what a file
 * says to node:test at its top level (tests, before, afterEach, ...) is about that file alone. `require` loads at once
 * and in order, on every Node that has it for ES modules (20.19 and later); with `import`, tests of one file are
 * declared within the suite of another now and then, where a module awaits something at its top level.
 */
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Each takes the next pool that is left, so that the last ones to run are short. */
const poolsOfEach = 3;

const sourceOf = (files) =>
  [
    "import { createRequire } from 'node:module';",
    "import { describe } from 'node:test';",
    'const load = createRequire(import.meta.url);',
    ...files.map(
      (file) => `describe(${JSON.stringify(file.name)}, () => void load(${JSON.stringify(file.path)}));`,
    ),
    '',
  ].join('\n');

/** Shares of about the same size, of files by what is known of them: their bytes. */
const sharesOf = (files, count) => {
  const shares = Array.from({ length: count }, () => ({ size: 0, files: [] }));
  for (const file of files.toSorted((a, b) => b.size - a.size)) {
    const [least] = shares.toSorted((a, b) => a.size - b.size);
    least.files.push(file);
    least.size += file.size;
  }
  return shares.map((share) => share.files.toSorted((a, b) => (a.name < b.name ? -1 : 1)));
};

/**
 * Writes the pools of these files.
 * @param folder it holds nothing else
 * @param nameOf what a file is called in reports
 * @param concurrency how many pools run at the same time
 */
export const writePools = (folder, paths, nameOf, concurrency) => {
  const files = paths.map((path) => ({ path, name: nameOf(path), size: statSync(path).size }));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const count = Math.min(files.length, concurrency * poolsOfEach);
  return sharesOf(files, count).map((share, index) => {
    const path = join(folder, `pool-${index + 1}.test.mjs`);
    writeFileSync(path, sourceOf(share));
    return { path, files: share.map(({ name }) => name) };
  });
};

/**
 * The outcomes of pools as those of their files. A file of which no outcome came is a failure: it holds no test, or
 * the process of its pool ended before.
 */
export const outcomesOfPools = (pools, outcomes, nameOf) => {
  const names = new Set(outcomes.map(({ file }) => file));
  const named = outcomes.map((outcome) => {
    const pool = pools.find(({ path }) => nameOf(path) === outcome.file);
    if (pool === undefined) return outcome;
    // A file that cannot be loaded fails as the suite that the pool has for it.
    if (pool.files.includes(outcome.name)) return { ...outcome, file: outcome.name };
    return { ...outcome, reason: `${outcome.reason} (it ran ${pool.files.join(', ')})` };
  });
  for (const { file } of named) names.add(file);
  const silent = pools.flatMap(({ files }) => files).filter((file) => !names.has(file));
  return [
    ...named,
    ...silent.map((file) => ({
      file,
      name: file,
      result: 'failed',
      reason: 'nothing was reported of it: it holds no test, or its process ended before',
    })),
  ];
};
