import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** The lines a child process wrote so far, and a way to wait for the next one of interest. */
export interface Lines {
  readonly seen: readonly string[];
  /**
   * The match of the first line, seen or still to come, that fits. Rejects if the stream ends without one.
   * @param from of the lines that were seen, leaves out as many
   */
  match(pattern: RegExp, from?: number): Promise<RegExpMatchArray>;
}

interface Waiter {
  readonly pattern: RegExp;
  readonly resolve: (match: RegExpMatchArray) => void;
  readonly reject: (error: Error) => void;
}

/** @param name who writes, for the message when a line never comes */
export function watchLines(stream: Readable, name: string): Lines {
  const seen: string[] = [];
  let waiters: Waiter[] = [];
  let ended = false;
  const never = (pattern: RegExp) =>
    new Error(`${name} ended without ${pattern}; it said:\n${seen.join('\n')}`);

  const reader = createInterface({ input: stream });
  reader.on('line', (line) => {
    seen.push(line);
    waiters = waiters.filter((waiter) => {
      const match = line.match(waiter.pattern);
      if (match) waiter.resolve(match);
      return !match;
    });
  });
  reader.on('close', () => {
    ended = true;
    for (const waiter of waiters) waiter.reject(never(waiter.pattern));
  });

  return {
    seen,
    match(pattern, from = 0) {
      const found = seen
        .slice(from)
        .map((line) => line.match(pattern))
        .find((match) => match !== null);
      if (found) return Promise.resolve(found);
      if (ended) return Promise.reject(never(pattern));
      return new Promise((resolve, reject) => waiters.push({ pattern, resolve, reject }));
    },
  };
}
