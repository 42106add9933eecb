/** The file that a bundle is written to: one that was not there, and that only its owner may read. */
import { open, rm } from 'node:fs/promises';
import { errnoOf, MmaplockError, messageOf } from '../../errors.js';
import { quoted } from '../../text/printable.js';

export interface BundleFile {
  /** In words, for people. */
  readonly name: string;
  write(text: string): Promise<void>;
  /** Nothing is written to it after all: it is gone again. */
  discard(): Promise<void>;
}

/** Letters that a file name may hold anywhere; host names are under the control of others. */
const unusual = /[^A-Za-z0-9._-]/g;

/** `mmaplockd-support-HOST-20250601T120000Z.json`. @param at milliseconds since the epoch */
export const bundleName = (host: string, at: number): string => {
  const time = new Date(at).toISOString().replace(/[-:]|\.\d+/g, '');
  return `mmaplockd-support-${host.replace(unusual, '_')}-${time}.json`;
};

/**
 * Opens it before anything is collected, so that a name that cannot be is told at once. `-` is standard output.
 * @throws MmaplockError `file_exists`, `file_unwritable`
 */
export const openBundleFile = async (name: string): Promise<BundleFile> => {
  if (name === '-')
    return {
      name: 'standard output',
      write: async (text) => {
        process.stdout.write(text);
      },
      discard: async () => {},
    };
  const failed = (error: unknown): MmaplockError => {
    const exists = errnoOf(error) === 'EEXIST';
    return new MmaplockError(
      exists ? 'file_exists' : 'file_unwritable',
      exists ? `${quoted(name)} is there already` : `cannot write ${quoted(name)}: ${messageOf(error)}`,
      { field: '--file', cause: error },
    );
  };
  const file = await open(name, 'wx', 0o600).catch((error: unknown) => {
    throw failed(error);
  });
  const discard = async (): Promise<void> => {
    await file.close();
    await rm(name, { force: true });
  };
  return {
    name,
    write: async (text) => {
      try {
        await file.writeFile(text);
        await file.close();
      } catch (error) {
        throw failed(error);
      }
    },
    discard,
  };
};
