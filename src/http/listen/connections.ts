/**
 * The connections of one listener: how many there are, who makes room for a newcomer, and whose turn it is. A connection
 * gets one answer at a time, so what a client asks for and does not read is one answer. Knows no HTTP.
 */
import type { Answering, Line, Unsent } from './unsent.js';

export interface ConnectionLimits {
  readonly ofAll: number;
  /** Of one source. */
  readonly ofOne: number;
  /** Requests of a connection that wait for their turn; one that sends more is cut. */
  readonly waiting: number;
}

export class Connection implements Answering {
  readonly source: string;
  readonly line: Line;
  /** Of its last progress: opened, an answer begun, an answer sent. Milliseconds that never go back. */
  since: number;
  /** An answer is under way. */
  answering = false;
  /** It has had an answer. */
  served = false;
  readonly waiting: (() => void)[] = [];

  constructor(source: string, line: Line, since: number) {
    this.source = source;
    this.line = line;
    this.since = since;
  }
}

/** The lowest goes first: who never said whole what it wants; who wants nothing now; who does not read; never who is served. */
const rankOf = ({ answering, served, line }: Connection): number => {
  if (!answering) return served ? 1 : 0;
  return line.unsent() > 0 ? 2 : isServed;
};
const isServed = 3;

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #now: () => number;
  readonly #unsent: Unsent;
  readonly #all = new Set<Connection>();
  #closing = false;

  /** @param unsent what all listeners together have unsent */
  constructor(limits: ConnectionLimits, { now, unsent }: { now: () => number; unsent: Unsent }) {
    this.#limits = limits;
    this.#now = now;
    this.#unsent = unsent;
  }

  /** Takes a newcomer, in the place of another where there is no seat; undefined where all others are being served. */
  take(source: string, line: Line): { connection: Connection; instead: boolean } | undefined {
    const own = [...this.#all].filter((connection) => connection.source === source);
    const rivals =
      own.length >= this.#limits.ofOne ? own : this.#all.size >= this.#limits.ofAll ? [...this.#all] : [];
    if (rivals.length > 0 && !this.#makeRoom(rivals)) return undefined;
    const connection = new Connection(source, line, this.#now());
    this.#all.add(connection);
    return { connection, instead: rivals.length > 0 };
  }

  #makeRoom(rivals: readonly Connection[]): boolean {
    const [last] = rivals
      .filter((connection) => rankOf(connection) < isServed)
      .toSorted((a, b) => rankOf(a) - rankOf(b) || a.since - b.since);
    if (last === undefined) return false;
    this.#cut(last);
    return true;
  }

  /** It is closed. */
  leave(connection: Connection): void {
    this.#all.delete(connection);
    this.#unsent.leave(connection);
    connection.waiting.length = 0;
  }

  /** Calls `serve` once it is the turn of this request: {@link answered} is to be called when its answer has been sent. */
  ask(connection: Connection, serve: () => void): void {
    if (!this.#all.has(connection)) return;
    if (!connection.answering) this.#serve(connection, serve);
    else if (connection.waiting.length < this.#limits.waiting) connection.waiting.push(serve);
    else this.#cut(connection);
  }

  answered(connection: Connection): void {
    const next = connection.waiting.shift();
    if (next !== undefined && this.#all.has(connection)) {
      this.#serve(connection, next);
      return;
    }
    connection.answering = false;
    connection.served = true;
    connection.since = this.#now();
    this.#unsent.leave(connection);
    if (this.#closing) this.#cut(connection);
  }

  /** Cuts those that are not being answered now, and each of the others after its answer; what waits is dropped. */
  close(): void {
    this.#closing = true;
    for (const connection of this.#all) {
      connection.waiting.length = 0;
      if (!connection.answering) this.#cut(connection);
    }
  }

  /** Cuts all that is left. */
  end(): void {
    for (const connection of this.#all) this.#cut(connection);
  }

  #serve(connection: Connection, serve: () => void): void {
    connection.answering = true;
    connection.since = this.#now();
    this.#unsent.makeRoom();
    this.#unsent.join(connection);
    serve();
  }

  #cut(connection: Connection): void {
    this.leave(connection);
    connection.line.cut();
  }
}
