/**
 * One mmaplockd a host. The mark is a socket with an abstract name (unix(7)): it is gone when its process is, leaves
 * no file behind, and whoever connects is told who holds it. It is seen within one network namespace only.
 */
import { connect, createServer, type Server } from 'node:net';
import type { Config } from './config/schema.js';
import { errnoOf, MmaplockError, messageOf } from './errors.js';
import type { Log } from './log/log.js';

const name = '\0mmaplockd';

/** Who holds the mark now, in words; undefined when nobody does. */
export const otherInstance = (): Promise<string | undefined> =>
  new Promise((resolve) => {
    let said = '';
    const socket = connect(name)
      .setEncoding('utf8')
      .setTimeout(1000, () => socket.destroy())
      .on('data', (chunk: string) => {
        said = (said + chunk).slice(0, 200);
        if (said.length === 200) socket.destroy(); // whoever never stops talking must not hold up the start
      })
      .on('error', (error) => resolve(errnoOf(error) === 'ECONNREFUSED' ? undefined : messageOf(error)))
      .on('close', () => resolve(said.replace(/[^\x20-\x7e]/g, '') || 'it does not answer'));
  });

/**
 * Takes the mark for as long as the process lives.
 * @throws MmaplockError `already_running`, saying who holds it
 */
const takeInstanceMark = async (self: string): Promise<void> => {
  const server: Server = createServer((socket) => socket.on('error', () => {}).end(self));
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(name, resolve));
  } catch (error) {
    if (errnoOf(error) !== 'EADDRINUSE') throw error;
    const other = await otherInstance();
    throw new MmaplockError(
      'already_running',
      `another mmaplockd runs on this host: ${other ?? 'it just ended'}`,
      {
        cause: error,
      },
    );
  }
  server.unref();
};

/**
 * Takes the mark; where the configuration allows a second daemon, says who the first is and goes on.
 * @throws MmaplockError `already_running`
 */
export const claimHost = async (config: Pick<Config, 'web' | 'allow_second'>, log: Log): Promise<void> => {
  try {
    await takeInstanceMark(`pid ${process.pid}, ${config.web.listen_address.join(' ')}`);
  } catch (error) {
    if (!config.allow_second || !(error instanceof MmaplockError)) throw error;
    log.warn(error.message);
  }
};
