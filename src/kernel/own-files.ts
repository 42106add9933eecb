/**
 * Opens and reads files of this process, for what its kernel does meanwhile: bpf/start/own-files.bt and bpf/start/lock-path.bt look
 * on. Its own files only, for a reader of those of another process may block it.
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';

/**
 * Where this process writes when it introduces itself, and nobody else does: chosen anew by each process, beyond the
 * end of any file, exact as a Number.
 */
export const ownPosition = 2 ** 52 + Math.floor(Math.random() * 2 ** 51);

/** Enough that one which a kernel skipped, as preemptible ones may, is not missed. */
const introductions = 4;

/** Enough to tell a rule from an exception. */
const mostReads = 64;
/** At least these, and then only as long as it takes little time: smaps_rollup walks every page of this process. */
const fewestReads = 8;
const mostMilliseconds = 8;

/** What a read() of a seq_file shows at most (fs/seq_file.c: it begins with a page). */
const bytes = 4096;

/** How a file is opened. Only one that is opened to be read is read for its content; of others one read is tried. */
const ways = { read: constants.O_RDONLY, write: constants.O_WRONLY, list: constants.O_DIRECTORY } as const;

export interface OwnFile {
  /** Below /proc/self. */
  readonly name: string;
  readonly way: keyof typeof ways;
}

/** What was done with a file. */
export interface OwnFileReads {
  readonly name: string;
  readonly descriptor: number;
  /** Calls of pread64(), all at its start and by this thread. */
  readonly calls: number;
  /** Those of them that returned data. */
  readonly reads: number;
}

/**
 * Introduces this process, opens these files, and reads them; a file that cannot be opened is left out. It takes up to
 * 8 ms a file, or 8 reads.
 * @param now milliseconds of a clock that nobody sets
 */
export const readOwnFiles = (files: readonly OwnFile[], now: () => number): OwnFileReads[] => {
  // Written to, so that no read() faults on it: a page fault can take mmap_lock, too.
  const buffer = Buffer.allocUnsafeSlow(bytes).fill(1);
  introduce(buffer);
  const opened: (OwnFile & { readonly descriptor: number })[] = [];
  try {
    // All at once: what was seen of a descriptor is told by its number.
    for (const file of files) {
      try {
        const descriptor = openSync(`/proc/self/${file.name}`, ways[file.way]);
        opened.push({ ...file, descriptor });
      } catch {
        // Not there, or not to be opened: numa_maps without CONFIG_NUMA, all of them where /proc is not mounted.
      }
    }
    return opened.map((file) => readOwnFile(file, buffer, now));
  } finally {
    for (const { descriptor } of opened) closeSync(descriptor);
  }
};

/** By writing to what keeps nothing. */
const introduce = (buffer: Buffer): void => {
  const descriptor = openSync('/dev/null', constants.O_WRONLY);
  try {
    // An odd length: what the call returns is then no number that is found anywhere.
    for (let index = 0; index < introductions; index += 1)
      writeSync(descriptor, buffer, 0, bytes - 107 - index, ownPosition);
  } finally {
    closeSync(descriptor);
  }
};

const readOwnFile = (
  { name, way, descriptor }: OwnFile & { readonly descriptor: number },
  buffer: Buffer,
  now: () => number,
): OwnFileReads => {
  const end = now() + mostMilliseconds;
  let [calls, reads] = [0, 0];
  try {
    do {
      calls += 1;
      if (readSync(descriptor, buffer, 0, bytes, 0) === 0) break;
      reads += 1;
    } while (way === 'read' && (reads < fewestReads || (reads < mostReads && now() < end)));
  } catch {
    // It cannot be read: the call was made all the same.
  }
  return { name, descriptor, calls, reads };
};
