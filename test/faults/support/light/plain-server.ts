/**
 * A program: fetches the address that is its argument once, and answers every request with that text, compressed anew, on
 * a free port that it tells on stdout. It ends with its stdin.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzip } from 'node:zlib';

const text = await (await fetch(process.argv[2] as string)).text();
const server = createServer((_, response) => gzip(text, (_, compressed) => response.end(compressed)));
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();
