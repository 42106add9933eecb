/** Bytes to a listener, and what comes back, where a client of HTTP would not send them. */
import { connect, type Socket } from 'node:net';

export interface RawConnection {
  readonly socket: Socket;
  /** What came back until now. */
  readonly received: () => string;
  /** Resolves to all that came back once the connection has ended. */
  readonly ended: Promise<string>;
}

/** Opens a connection, and sends what is given. An end by a reset is an end. @param url of a listener on TCP */
export const openRaw = (url: string, bytes: string | Uint8Array = ''): RawConnection => {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (more: string) => {
    text += more;
  });
  socket.on('error', () => {});
  const ended = new Promise<string>((resolve) => socket.on('close', () => resolve(text)));
  if (bytes.length > 0) socket.write(bytes);
  return { socket, received: () => text, ended };
};

/** What comes back before the listener ends the connection. */
export const askRaw = (url: string, bytes: string | Uint8Array): Promise<string> => openRaw(url, bytes).ended;
