/**
 * Lines out of a stream of chunks, with a bound on memory: a line over the cap costs its own content, nothing
 * else. Splits bytes before decoding, so a UTF-8 sequence cut by a chunk border is whole again.
 */

/** What a splitter tells its owner. */
export interface LineHandlers {
  /** A whole line without its newline. */
  readonly onLine: (line: string) => void;
  /** A line over the cap was dropped; `bytes` is its length. Called once, when its newline comes. */
  readonly onOverlong: (bytes: number) => void;
  /** The stream ended inside a line of `bytes` bytes. It is dropped: half a line can look like a whole one. */
  readonly onTruncated?: (bytes: number) => void;
}

/** A line of bpftrace holds one whole map: 500 keys are about 20 KiB. */
export const defaultLongestLine = 1024 * 1024;

const newline = 0x0a;

/** Each piece keeps a buffer of its own: a line that comes byte by byte would take a hundred times its length. */
const mostPieces = 256;

/** Splits a byte stream at `\n`. Feed it with `push`, and call `end` once at the end of the stream. */
export class LineSplitter {
  readonly #handlers: LineHandlers;
  readonly #longest: number;
  /** The beginning of the current line, from earlier chunks; empty once the line is over the cap. */
  #pieces: Buffer[] = [];
  /** What followed, up to mostPieces pieces as they came. */
  #recent: Buffer[] = [];
  /** Length of the current line so far. */
  #length = 0;

  /** `longest`: most bytes in a line, its newline not counted. */
  constructor(handlers: LineHandlers, longest: number = defaultLongestLine) {
    this.#handlers = handlers;
    this.#longest = longest;
  }

  /** Takes the next chunk; calls the handlers for every line that it completes. */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      this.#append(chunk.subarray(start, end));
      this.#finishLine();
      start = end + 1;
    }
    this.#append(chunk.subarray(start));
  }

  /** Reports a line that never got its newline: its writer died in the middle of it. */
  end(): void {
    const bytes = this.#length;
    this.#reset();
    if (bytes > 0) this.#handlers.onTruncated?.(bytes);
  }

  #append(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#length += piece.length;
    if (this.#length > this.#longest) {
      this.#pieces = [];
      this.#recent = [];
    } else if (this.#recent.push(piece) === mostPieces) {
      this.#pieces.push(joined(this.#recent));
      this.#recent = [];
    }
  }

  #finishLine(): void {
    const bytes = this.#length;
    const pieces = this.#pieces.length === 0 ? this.#recent : [...this.#pieces, ...this.#recent];
    this.#reset();
    if (bytes > this.#longest) this.#handlers.onOverlong(bytes);
    else this.#handlers.onLine(joined(pieces).toString('utf8'));
  }

  #reset(): void {
    this.#pieces = [];
    this.#recent = [];
    this.#length = 0;
  }
}

/** Most lines lie within one chunk and need no copy. */
const joined = (pieces: readonly Buffer[]): Buffer =>
  pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
