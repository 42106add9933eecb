/** This very process as a reader of a proc file, which knows the moment of each of its reads. */
import { closeSync, openSync, readSync } from 'node:fs';

export interface TimedReader {
  readonly name: string;
  /** Milliseconds since the epoch at which each read had been made, in order. Each had an open of its own. */
  readonly reads: readonly number[];
  stop(): void;
}

/**
 * Opens, reads once and closes a file every two milliseconds, or as often as this process comes to it. Its process is
 * called `name` from now on.
 */
export const startTimedReader = (file: string, name: string): TimedReader => {
  // On Linux this is the name of the main thread, too, which is the one that reads (prctl(2), PR_SET_NAME).
  process.title = name;
  const reads: number[] = [];
  const buffer = Buffer.alloc(4096);
  const timer = setInterval(() => {
    const descriptor = openSync(file, 'r');
    readSync(descriptor, buffer);
    reads.push(Date.now());
    closeSync(descriptor);
  }, 2);
  return { name, reads, stop: () => clearInterval(timer) };
};
