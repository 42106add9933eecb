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

/** The `*.bt` of a directory and of the folders in it, by name: as `waits` at `measures/waits.bt`. */
const filesIn = async (directory: string): Promise<Map<string, string[]>> => {
  const found = new Map<string, string[]>();
  const look = async (folder: string): Promise<string[]> => {
    const entries = await readdir(path.join(directory, folder), { withFileTypes: true });
    for (const { name } of entries.filter((entry) => entry.name.endsWith('.bt'))) {
      const fragment = name.slice(0, -'.bt'.length);
      found.set(fragment, [...(found.get(fragment) ?? []), path.join(folder, name)]);
    }
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  };
  for (const folder of (await look('')).sort()) await look(folder);
  return found;
};

const malformed = (file: string, what: string, cause?: unknown): MmaplockError =>
  new MmaplockError('fragment_malformed', `${file}: ${what}`, { field: file, cause });

/**
 * Reads all `*.bt` of a directory and of the folders in it, in name order.
 * @throws MmaplockError `fragment_malformed` when the directory itself cannot be read.
 */
export const readCatalog = async (directory: string): Promise<Catalog> => {
  const fragments: Fragment[] = [];
  const problems: MmaplockError[] = [];
  const files = await filesIn(directory).catch((error: unknown) => {
    throw new MmaplockError('fragment_malformed', `no fragments can be read: ${messageOf(error)}`, {
      field: 'probes.directory',
      fix: 'Correct probes.directory, or leave it out to use the fragments shipped with the program.',
    });
  });
  for (const name of [...files.keys()].sort()) {
    const [file = '', ...others] = files.get(name) ?? [];
    if (others.length > 0) problems.push(malformed(file, `${others.join(', ')} has this name, too`));
    try {
      const text = readRegularFile(path.join(directory, file), longestFragment).toString('utf8');
      fragments.push(parseFragment(name, text));
    } catch (error) {
      problems.push(error instanceof MmaplockError ? error : malformed(file, messageOf(error), error));
    }
  }
  const misled = dependencyProblems(fragments, new Set(files.keys()));
  for (const [name, what] of misled) problems.push(malformed(`${name}.bt`, what));
  return { fragments: fragments.filter(({ name }) => !misled.has(name)), problems };
};
