/** Files that somebody configured: what is no file, or too long, is an error at once, whatever the path leads to. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';

const kindOf = (stats: Stats): string => {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
};

const checked = (stats: Stats): void => {
  if (!stats.isFile()) throw new Error(`it is ${kindOf(stats)}; a regular file is needed`);
};

/**
 * The content of a regular file.
 * @param longest bytes that it may have
 * @throws the error of the system; Error for what is no regular file, or too long
 */
export const readRegularFile = (path: string, longest: number): Buffer => {
  // Before it is opened, for to open a device may do something.
  checked(statSync(path));
  // Another may be in its place by now: a pipe would hold up the opening without O_NONBLOCK.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    checked(fstatSync(file));
    const buffer = Buffer.alloc(longest + 1);
    let length = 0;
    for (;;) {
      const read = readSync(file, buffer, length, buffer.length - length, null);
      length += read;
      if (length > longest) throw new Error(`it is longer than ${longest} bytes`);
      if (read === 0) return Buffer.from(buffer.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
};
