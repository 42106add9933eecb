/** What deploy/debian/changelog tells of its last entry: deb-changelog(5). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CannotGoOn } from '../bootstrap/report.mjs';
import { debian } from './paths.mjs';

/**
 * @param text of the changelog
 * @returns `version`; `seconds` since the epoch at which the entry was signed; `maintainer`
 */
export const lastEntry = (text) => {
  const version = /^mmaplockd \(([^)]+)\) \S+; urgency=\w+$/m.exec(text)?.[1];
  const [, maintainer, date] = /^ -- (.+ <.+>) {2}(.+)$/m.exec(text) ?? [];
  const seconds = Date.parse(date) / 1000;
  if (version === undefined || !Number.isInteger(seconds))
    throw new CannotGoOn('deploy/debian/changelog has no entry that can be read', 'see deb-changelog(5)');
  return { version, seconds, maintainer };
};

export const readChangelog = () => readFileSync(join(debian, 'changelog'), 'utf8');

/**
 * The time that all files of a package bear, in seconds since the epoch: never that of the build, by which the same
 * sources would give other bytes (reproducible-builds.org, SOURCE_DATE_EPOCH).
 */
export const sourceDate = (entry) => {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given === undefined || given === '') return entry.seconds;
  if (!/^\d{1,10}$/.test(given))
    throw new CannotGoOn(`SOURCE_DATE_EPOCH is "${given}"`, 'give seconds since 1970, or unset it');
  return Number(given);
};
