/**
 * Appends JSON lines to files in one directory, within a bound: a new file is begun when the newest has its share, and
 * the oldest are removed. One line is written at a time, each with an open and a close of its own: lines are rare, and
 * so a file that was moved or removed meanwhile does no harm.
 *
 * A line that cannot be written waits for the next one (there is no timer); too many of them, and the oldest are lost.
 * Not synced to the disk: it is to survive the daemon, not the power.
 */
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { longestLineBytes } from './line-reader.js';
import { listOwnFiles, makeDirectory, nextName, openOwnFile, removeOwnFile } from './own-files.js';

export interface LineWriterOptions {
  readonly directory: string;
  /** All files together. */
  readonly bytes: number;
  /** Milliseconds since the epoch: names the files. */
  readonly now: () => number;
  /** A write failed, for the first time since one was done. */
  readonly onFailure: (error: unknown) => void;
}

/** A file is full at this part of the bound: with the oldest, so much of what is kept goes at once. */
const filesOfBound = 8;
const waitingBytes = 4 * 2 ** 20;
const newline = 0x0a;

export class LineWriter {
  /** Tries that failed. */
  failures = 0;
  /** Lines given up: too long, or too many were waiting. */
  lost = 0;
  readonly #options: LineWriterOptions;
  #waiting: Buffer[] = [];
  #failing = false;
  #writing: Promise<void> | undefined;

  constructor(options: LineWriterOptions) {
    this.#options = options;
  }

  /** Takes a line as it is now; it is written soon. Never throws. */
  append(value: object): void {
    const line = Buffer.from(`${JSON.stringify(value)}\n`);
    if (line.length > longestLineBytes) {
      this.lost += 1;
      return;
    }
    this.#waiting.push(line);
    while (this.#waiting.reduce((sum, { length }) => sum + length, 0) > waitingBytes) {
      this.#waiting.shift();
      this.lost += 1;
    }
    void this.flush();
  }

  /** Resolves when all lines were written, or one could not be. Never rejects. */
  flush(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  /** Counts a failure, and tells of it unless the last try failed as well. */
  failed(error: unknown): void {
    this.failures += 1;
    if (!this.#failing) this.#options.onFailure(error);
    this.#failing = true;
  }

  async #writeAll(): Promise<void> {
    for (let line = this.#waiting[0]; line !== undefined; line = this.#waiting[0]) {
      try {
        await this.#write(line);
      } catch (error) {
        this.failed(error);
        return;
      }
      this.#failing = false;
      // It is there no more if it was given up meanwhile.
      if (this.#waiting[0] === line) this.#waiting.shift();
    }
  }

  async #write(line: Buffer): Promise<void> {
    const { directory, bytes, now } = this.#options;
    await makeDirectory(directory);
    const files = await listOwnFiles(directory);
    const newest = files.at(-1);
    // With the newline that ends what was cut off.
    const needed = line.length + 1;
    const fits = newest !== undefined && newest.bytes + needed <= bytes / filesOfBound;
    let total = needed + files.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of fits ? files.slice(0, -1) : files) {
      if (total <= bytes) break;
      await removeOwnFile(file);
      total -= file.bytes;
    }
    const path = fits ? newest.path : join(directory, nextName(now(), newest?.name));
    const file = await openOwnFile(path, 'append');
    try {
      await writeWhole(file, (await endsMidLine(file)) ? Buffer.concat([Buffer.of(newline), line]) : line);
    } finally {
      await file.close();
    }
  }
}

/** A write that was cut off, by a full disk or the end of the daemon, must not take the next line with it. */
const endsMidLine = async (file: FileHandle): Promise<boolean> => {
  const { size } = await file.stat();
  const { bytesRead, buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
  return bytesRead === 1 && buffer[0] !== newline;
};

const writeWhole = async (file: FileHandle, bytes: Buffer): Promise<void> => {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
};
