/** Which connection a socket is: that of TCP, of which one learns first, and that of TLS, which requests come from. */
import type { Socket } from 'node:net';
import type { Connection, Connections } from './connections.js';
import { networkOf } from './network.js';

interface Seated {
  readonly connection: Connection;
  /** What answers are written to. */
  writer: Socket;
}

/** Address and port of the peer: one connection at a time has them. A unix socket has neither. */
const placeOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

export class SocketSeats {
  readonly #connections: Connections;
  readonly #onFull: () => void;
  readonly #bySocket = new WeakMap<Socket, Seated>();
  readonly #byPlace = new Map<string, Seated>();

  /** @param onFull called for each connection that is closed for want of a seat */
  constructor(connections: Connections, onFull: () => void) {
    this.#connections = connections;
    this.#onFull = onFull;
  }

  /** A client has connected. */
  take(socket: Socket): void {
    const taken = this.#connections.take(networkOf(socket.remoteAddress ?? ''), {
      unsent: () => this.#bySocket.get(socket)?.writer.writableLength ?? 0,
      cut: () => socket.destroy(),
    });
    if (taken === undefined || taken.instead) this.#onFull();
    if (taken === undefined) {
      // Once the server has seen it, for it does not expect one that is closed already.
      process.nextTick(() => socket.destroy());
      return;
    }
    const { connection } = taken;
    const seated = { connection, writer: socket };
    const place = placeOf(socket);
    this.#bySocket.set(socket, seated);
    this.#byPlace.set(place, seated);
    socket.once('close', () => {
      this.#connections.leave(connection);
      if (this.#byPlace.get(place) === seated) this.#byPlace.delete(place);
    });
  }

  /** It has got through the handshake of TLS. */
  secured(socket: Socket): void {
    const seated = this.#byPlace.get(placeOf(socket));
    if (seated === undefined) return;
    seated.writer = socket;
    this.#bySocket.set(socket, seated);
  }

  /** Undefined for one that was closed. */
  of(socket: Socket): Connection | undefined {
    return this.#bySocket.get(socket)?.connection;
  }
}
