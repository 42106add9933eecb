/** What one listener takes of those who ask, at most. What is beyond is answered or closed, and costs no more than that. */

/**
 * Connections of one listener. Half of them may come from one address beyond loopback (of IPv6: one /64). Where there are as
 * many, a newcomer takes the place of the one that has asked for nothing, or read nothing, for the longest time.
 */
export const mostConnections = { ofAll: 128, ofOne: 64 };

/** Requests that a client may send before it has the answer to the first; beyond, it is cut. */
export const mostWaiting = 16;

/** Bytes of answers that clients have not read, of all listeners; beyond, those are cut that have not read longest. */
export const mostUnsent = 16 * 2 ** 20;

/** Bytes of the request line and all headers; beyond: 431. */
export const longestHead = 16_384;

/** Characters of path and query; beyond: 414. The longest that means anything here is a cursor with some parameters. */
export const longestTarget = 4096;

/** Bytes of a body that is told beforehand; beyond, and where it is not told: 413. No route takes one. */
export const longestBody = 16_384;

/** Requests on one connection, which is then closed: clients open another. */
export const mostRequestsOfOne = 1000;

/** How long a client may take, in milliseconds. */
export const usualPatience = {
  /** For a client to get through the handshake of TLS; it also bounds how long a silent one holds up the end. */
  handshake: 5000,
  /** For request line and headers, from the start of the connection or the first byte of the request; beyond: 408. */
  head: 10_000,
  /** For a request with its body. */
  request: 30_000,
  /** How often the two above are looked at: a connection may have that much more. */
  between: 2000,
  /** Between two requests; more than the longest scrape interval that Prometheus calls sane, one minute. */
  idle: 72_000,
  /** Without a byte in either direction while an answer is on its way; the stream has a heartbeat every 15 s. */
  stuck: 60_000,
  /** For answers that are under way when a listener closes. */
  end: 5000,
};

export type Patience = Readonly<Record<keyof typeof usualPatience, number>>;
