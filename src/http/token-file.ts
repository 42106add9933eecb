/** A token that stands in a file, so that no command line and no environment shows it. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoOf, MmaplockError, messageOf } from '../errors.js';

const longestFile = 4096;

/** What a header can carry (RFC 6750, 2.1, is narrower still). */
const token = /^[\x21-\x7e]{16,}$/;

/**
 * The content of the file without the white space around it.
 * @throws MmaplockError `token_unreadable`: there is no such file, or no token in it
 */
export const readToken = async (path: string): Promise<string> => {
  const text = (await readStart(path)).trim();
  if (token.test(text) && text.length <= longestFile) return text;
  throw unreadable(`holds no token of 16 to ${longestFile} visible ASCII characters`);
};

/** Not more than a token can have; nothing of this waits, whatever the path leads to. */
const readStart = async (path: string): Promise<string> => {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(longestFile + 1));
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(`cannot be read: ${errnoOf(error) ?? messageOf(error)}`, error);
  }
};

/** Does not tell the path: the answer goes to those who have no token. */
const unreadable = (why: string, cause?: unknown): MmaplockError =>
  new MmaplockError('token_unreadable', `the file of inspect.token_file ${why}`, {
    field: 'inspect.token_file',
    cause,
  });
