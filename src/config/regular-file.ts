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
    const stats = fstatSync(file);
    checked(stats);
    // What the kernel makes up, in /proc say, has no size.
    const pieces: Buffer[] = [];
    for (let [length, room] = [0, stats.size + 1]; ; room = 4096) {
      const piece = Buffer.alloc(Math.min(room, longest + 1));
      const read = readSync(file, piece, 0, piece.length, null);
      length += read;
      if (length > longest) throw new Error(`it is longer than ${longest} bytes`);
      if (read === 0) return Buffer.concat(pieces);
      pieces.push(piece.subarray(0, read));
    }
  } finally {
    closeSync(file);
  }
};
