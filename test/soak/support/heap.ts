/** What is left of the heap of Node after each full collection of garbage, as V8 itself tells it. */
import { readFile } from 'node:fs/promises';
import type { Point } from '../../support/slope.js';

/**
 * Puts --trace-gc behind `node`, with what the package starts it with, and what it prints into a file: `wrap` of
 * startDaemon(). With --no-opt, for V8 goes on for hours to make more of the code that runs once a second, and has it in
 * the same heap: 1.2 MiB an hour from the 18th minute to the 36th.
 */
export const tracedHeap = (file: string): readonly string[] => [
  'sh',
  '-c',
  'file=$1 node=$2; shift 2; MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=131072 exec "$node" --max-semi-space-size=1 --no-opt --trace-gc "$@" >"$file"',
  'sh',
  file,
];

/** As in `[23:0x5] 1234 ms: Mark-Compact 45.2 (70.1) -> 30.1 (65.2) MB, ...`; older versions put a word in brackets behind it. */
const collection = /\s(\d+) ms: Mark-Compact [^\d]*[\d.]+ \([\d.]+\) -> ([\d.]+) \([\d.]+\) MB/g;

/** Bytes over seconds since the start of Node. */
export const heapAfterCollections = async (file: string): Promise<Point[]> =>
  Array.from((await readFile(file, 'utf8')).matchAll(collection), ([, milliseconds, mebibytes]) => ({
    at: Number(milliseconds) / 1000,
    value: Number(mebibytes) * 1024 * 1024,
  }));
