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

/** Sends thousands of requests on each of eight connections and reads nothing, as long as it is let. */
const pipelines = (path: string) =>
  Promise.all(
    Array.from({ length: 8 }, () =>
      forever(async () => {
        const socket = open().pause();
        socket.write(request(path).repeat(4000));
        done.requests += 4000;
        await Promise.race([closed(socket), sleep(5000)]);
        socket.destroy();
      }),
    ),
  );

/** Reads what it asked for a few bytes at a time. */
const readsSlowly = (path: string) =>
  Promise.all(
    Array.from({ length: 8 }, () =>
      forever(async () => {
        const socket = open().pause();
        socket.write(request(path));
        done.requests += 1;
        const ended = closed(socket);
        const sip = setInterval(() => {
          done.bytes += (socket.read(16) as Buffer | null)?.length ?? 0;
        }, 100);
        await Promise.race([ended, sleep(8000)]);
        clearInterval(sip);
        socket.destroy();
      }),
    ),
  );

/** Heads that never end, on more connections than there are seats. */
const floodsHeads = () =>
  Promise.all(
    Array.from({ length: 60 }, () =>
      forever(async () => {
        const socket = open();
        socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n');
        const ended = closed(socket);
        const drip = setInterval(() => socket.write('X-A: b\r\n'), 500);
        await Promise.race([ended, sleep(8000)]);
        clearInterval(drip);
        socket.destroy();
      }),
    ),
  );

/** Streams that nobody reads. */
const streams = () =>
  Promise.all(
    Array.from({ length: 8 }, () =>
      forever(async () => {
        const socket = open().pause();
        socket.write(request('/api/v1/stream?types=tick,incident,column'));
        done.requests += 1;
        await Promise.race([closed(socket), sleep(8000)]);
        socket.destroy();
      }),
    ),
  );

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
