/** What all listeners together have given to connections and the kernel has not taken: it is memory of the daemon. */

/** What a connection does to its socket. */
export interface Line {
  /** Bytes that were given to it and that the kernel has not taken. */
  readonly unsent: () => number;
  /** Ends it at once, whatever is unsent. */
  readonly cut: () => void;
}

/** A connection with an answer under way. */
export interface Answering {
  readonly line: Line;
  /** Of the begin of the answer, milliseconds that never go back. */
  readonly since: number;
}

export class Unsent {
  /** Bytes. */
  readonly #most: number;
  readonly #answering = new Set<Answering>();

  constructor(most: number) {
    this.#most = most;
  }

  join(connection: Answering): void {
    this.#answering.add(connection);
  }

  leave(connection: Answering): void {
    this.#answering.delete(connection);
  }

  /** Cuts those that have not read for the longest time, until there is room for another answer. */
  makeRoom(): void {
    let bytes = 0;
    for (const { line } of this.#answering) bytes += line.unsent();
    if (bytes < this.#most) return;
    for (const connection of [...this.#answering].toSorted((a, b) => a.since - b.since)) {
      const unsent = connection.line.unsent();
      if (unsent === 0) continue;
      this.#answering.delete(connection);
      connection.line.cut();
      bytes -= unsent;
      if (bytes < this.#most) return;
    }
  }
}
