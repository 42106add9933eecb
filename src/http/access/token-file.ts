/** A token that stands in a file, so that no command line and no environment shows it. */

import { readRegularFile } from '../../config/regular-file.js';
import { errnoOf, MmaplockError, messageOf } from '../../errors.js';

const longestToken = 4096;
/** Bytes, with the white space around it. */
const longestFile = 65_536;

/** What a header can carry (RFC 6750, 2.1, is narrower still). */
const token = /^[\x21-\x7e]{16,}$/;

/**
 * The content of the file without the white space around it.
 * @throws MmaplockError `token_unreadable`: there is no such file, or no token in it
 */
export const readToken = (path: string): string => {
  const text = readText(path).trim();
  if (token.test(text) && text.length <= longestToken) return text;
  throw unreadable(`holds no token of 16 to ${longestToken} visible ASCII characters`);
};

const readText = (path: string): string => {
  try {
    return readRegularFile(path, longestFile).toString('utf8');
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
