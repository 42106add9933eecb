import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Has a server that closes end at once all connections on which no answer is under way: once it closes, Node no longer
 * looks at how long a request takes to come in, and one that never does would hold up the end of the daemon.
 */
export const endUnanswered = (server: Server, opened: 'connection' | 'secureConnection'): void => {
  const answers = new Map<Socket, number>();
  server.on(opened, (socket: Socket) => {
    answers.set(socket, 0);
    socket.once('close', () => answers.delete(socket));
  });
  server.prependListener('request', ({ socket }, response) => {
    const add = (change: number): void => {
      const count = answers.get(socket);
      if (count !== undefined) answers.set(socket, count + change);
    };
    add(1);
    response.once('close', () => add(-1));
  });
  const close = server.close.bind(server);
  server.close = (callback) => {
    close(callback);
    for (const [socket, count] of answers) if (count === 0) socket.destroy();
    return server;
  };
};
