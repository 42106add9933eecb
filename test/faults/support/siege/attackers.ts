/**
 * Sixteen who do what they can to a listener, in a process of their own: `attackers URL` goes on until its standard input
 * ends, and prints what it did.
 */
import { connect, type Socket } from 'node:net';

const { hostname, port } = new URL(process.argv[2] as string);
const done = { connections: 0, requests: 0, bytes: 0 };
let over = false;

const open = (): Socket => {
  done.connections += 1;
  return connect(Number(port), hostname).on('error', () => {});
};

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.on('close', () => resolve()));

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

const forever = async (once: () => Promise<void>): Promise<void> => {
  while (!over) {
    await once();
    // A connection that is refused at once is no busy loop.
    await sleep(10);
  }
};

const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const heavy = ['/metrics', '/api/v1/history', '/api/v1/blocks?limit=1000', '/api/v1/readers?limit=1000'];

/** So many connections that send something and then do something ten times a second, until they are closed. */
const hold = (
  connections: number,
  { sends, seconds, drip }: { sends: string; seconds: number; drip?: (socket: Socket) => void },
) =>
  Promise.all(
    Array.from({ length: connections }, () =>
      forever(async () => {
        const socket = open().pause();
        socket.write(sends);
        done.requests += sends.split('\r\n\r\n').length - 1;
        const ended = closed(socket);
        const dripping = setInterval(() => drip?.(socket), 100);
        await Promise.race([ended, sleep(seconds * 1000)]);
        clearInterval(dripping);
        socket.destroy();
      }),
    ),
  );

/** Sends thousands of requests on each of eight connections and reads nothing, as long as it is let. */
const pipelines = (path: string) => hold(8, { sends: request(path).repeat(4000), seconds: 5 });

/** Reads what it asked for a few bytes at a time. */
const readsSlowly = (path: string) =>
  hold(8, {
    sends: request(path),
    seconds: 8,
    drip: (socket) => {
      done.bytes += (socket.read(16) as Buffer | null)?.length ?? 0;
    },
  });

/** Heads that never end, on more connections than there are seats. */
const floodsHeads = () =>
  hold(60, {
    sends: 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n',
    seconds: 8,
    drip: (socket) => socket.resume().write('X-A: b\r\n'),
  });

/** Streams that nobody reads. */
const streams = () => hold(8, { sends: request('/api/v1/stream?types=tick,incident,column'), seconds: 8 });

const attackers = [
  ...heavy.map((path) => pipelines(path)),
  ...heavy.map((path) => readsSlowly(path)),
  ...Array.from({ length: 4 }, floodsHeads),
  ...Array.from({ length: 4 }, streams),
];
process.stdout.write('attacking\n');
process.stdin.resume().on('end', () => {
  over = true;
  process.stdout.write(`${JSON.stringify({ attackers: attackers.length, ...done })}\n`, () =>
    process.exit(0),
  );
});
