/**
 * Hands what a client sends to Node's parser in small pieces, and none while an answer is under way. By itself Node parses
 * all it has read at once, 64 KiB: a thousand requests of a client that reads no answer, each some kilobytes of objects.
 */
import type { Socket } from 'node:net';
import { systemClock } from '../clock.js';

/** Bytes: the shortest request has 18. */
const pieceBytes = 512;

/** What the server of Node does with bytes of a connection. */
type Parse = (chunk: Buffer) => void;

export interface Feed {
  /** Nothing is under way any more: what was sent goes on, once others had their turn. */
  goOn(): void;
}

/**
 * Takes the place of the server's own listener, which is there once it knows the connection (Node 20 to 24:
 * connectionListenerInternal() of lib/_http_server.js; another listener makes it stop to read past JavaScript).
 * @param mayGoOn whether no answer is under way
 */
export const feedInPieces = (socket: Socket, mayGoOn: () => boolean): Feed => {
  const [parse] = socket.listeners('data') as Parse[];
  if (parse === undefined) return { goOn: () => {} };
  let rest: Buffer = Buffer.alloc(0);
  const go = (): void => {
    while (rest.length > 0 && mayGoOn() && !socket.destroyed) {
      const piece = rest.subarray(0, pieceBytes);
      rest = rest.subarray(piece.length);
      parse(piece);
    }
    if (rest.length > 0) socket.pause();
    else socket.resume();
  };
  socket.removeListener('data', parse);
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    go();
  });
  return {
    goOn: () => {
      if (rest.length > 0) systemClock.after(0, go);
    },
  };
};
