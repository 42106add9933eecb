/** Where results are kept. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../live/support/daemon.js';
import { pictureOf } from './report/picture.js';
import { insertReport, reportOf } from './report/report.js';
import type { Results } from './results.js';

const kept = join(packageRoot, 'test/bench/results.json');
const picture = join(packageRoot, 'test/bench/cost.svg');
const readme = join(packageRoot, 'README.md');

/** Of the last run of each place that was written into the tree; none where there is no such file. */
export const readKept = (): Results[] => {
  try {
    return JSON.parse(readFileSync(kept, 'utf8')) as Results[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};

/** New results take the place of old ones of the same place. The host is first, then guests by name. */
export const merge = (old: readonly Results[], measured: readonly Results[]): Results[] =>
  [...old.filter(({ place }) => !measured.some((one) => one.place.name === place.name)), ...measured].sort(
    (a, b) =>
      (a.place.name === 'host') === (b.place.name === 'host')
        ? a.place.name.localeCompare(b.place.name, 'en', { numeric: true })
        : a.place.name === 'host'
          ? -1
          : 1,
  );

/** For a person, and for a second look: not part of the tree. */
export const writeToDist = (results: readonly Results[]): string => {
  const folder = join(packageRoot, 'dist/bench');
  mkdirSync(folder, { recursive: true });
  for (const one of results) {
    writeFileSync(join(folder, `${one.place.name}.json`), `${JSON.stringify(one, null, 1)}\n`);
    writeFileSync(join(folder, `${one.place.name}.svg`), pictureOf(one));
  }
  writeFileSync(join(folder, 'report.md'), `${reportOf(results)}\n`);
  return folder;
};

/** Rounded: a tenth of a nanosecond is less than noise, and thousands of digits help nobody who compares versions. */
const rounded = (_key: string, value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(5)) : value;

/** Into the tree. */
export const writeToTree = (results: readonly Results[]): void => {
  mkdirSync(dirname(kept), { recursive: true });
  writeFileSync(kept, `[\n${results.map((one) => JSON.stringify(one, rounded)).join(',\n')}\n]\n`);
  const host = results.find(({ place }) => place.name === 'host');
  if (host !== undefined) writeFileSync(picture, pictureOf(host));
  writeFileSync(readme, insertReport(readFileSync(readme, 'utf8'), reportOf(results)));
};
