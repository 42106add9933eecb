/** The catalog: every fragment of bpf/. A later probe is one more file there, nothing here. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { readRegularFile } from '../config/regular-file.js';
import { MmaplockError, messageOf } from '../errors.js';
import { dependencyProblems } from './dependencies.js';
import { type Fragment, parseFragment } from './fragment/fragment.js';

export interface Catalog {
  readonly fragments: readonly Fragment[];
  /** Fragments that could not be read; the others go on without them. */
  readonly problems: readonly MmaplockError[];
}

/** Bytes; the longest there is has a tenth. */
const longestFragment = 262_144;

/**
 * Reads all `*.bt` of a directory, in name order.
 * @throws MmaplockError `fragment_malformed` when the directory itself cannot be read.
 */
export const readCatalog = async (directory: string): Promise<Catalog> => {
  const fragments: Fragment[] = [];
  const problems: MmaplockError[] = [];
  const files = await readdir(directory).catch((error: unknown) => {
    throw new MmaplockError('fragment_malformed', `no fragments can be read: ${messageOf(error)}`, {
      field: 'probes.directory',
      fix: 'Correct probes.directory, or leave it out to use the fragments shipped with the program.',
    });
  });
  const names = files.filter((file) => file.endsWith('.bt')).map((file) => file.slice(0, -'.bt'.length));
  for (const name of names.sort()) {
    const file = `${name}.bt`;
    try {
      fragments.push(
        parseFragment(name, readRegularFile(path.join(directory, file), longestFragment).toString('utf8')),
      );
    } catch (error) {
      problems.push(
        error instanceof MmaplockError
          ? error
          : new MmaplockError('fragment_malformed', `${file}: ${messageOf(error)}`, {
              field: file,
              cause: error,
            }),
      );
    }
  }
  const misled = dependencyProblems(fragments, new Set(names));
  for (const [name, what] of misled)
    problems.push(new MmaplockError('fragment_malformed', `${name}.bt: ${what}`, { field: `${name}.bt` }));
  return { fragments: fragments.filter(({ name }) => !misled.has(name)), problems };
};
