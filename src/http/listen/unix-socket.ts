/** The place of the unix socket: made free of what a daemon left behind that was killed, and of nothing else. */
import { lstatSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { errnoOf, MmaplockError, messageOf } from '../../errors.js';
import { printable } from '../../text/printable.js';

/** Those who may ask: the user and the group of the socket. connect(2) takes the right to write. */
export const socketMode = 0o660;

const field = 'web.unix_socket';

/** Why there can be no socket at this path. */
export const noSocket = (path: string, error: unknown): MmaplockError =>
  new MmaplockError('listen_failed', `cannot listen on ${printable(path)}: ${messageOf(error)}`, {
    field,
    fix: 'Name a path with --web.unix-socket in a directory that mmaplockd may write to.',
    cause: error,
  });

const taken = (path: string, why: string): MmaplockError =>
  new MmaplockError('port_in_use', `cannot listen on ${printable(path)}: ${why}`, {
    field,
    fix: 'Stop what listens there, remove what is there, or choose another --web.unix-socket.',
  });

/** Whether a connection to a socket is taken. Rejects where that cannot be told. */
const isServed = (path: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      const code = errnoOf(error);
      // EAGAIN: somebody listens, and has much to do.
      if (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'EAGAIN') resolve(code === 'EAGAIN');
      else reject(error);
    });
  });

/**
 * Removes a socket that nobody listens on.
 * @throws MmaplockError `port_in_use` where somebody does, or where something else is there; `listen_failed`
 */
export const freeSocketPath = async (path: string): Promise<void> => {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return;
    if (!found.isSocket()) throw taken(path, 'something is there that is no socket');
    if (await isServed(path)) throw taken(path, 'somebody listens there');
    rmSync(path, { force: true });
  } catch (error) {
    throw error instanceof MmaplockError ? error : noSocket(path, error);
  }
};
