/**
 * One mmaplockd a host. The mark is a unix socket in a directory that only root may write: nobody else can take it, and
 * a connection to it is refused once its process is gone, however that ended. Whoever connects is told who holds it.
 *
 * Marks are numbered, and the highest number counts. Where its process is gone, the next daemon takes the next number:
 * of those that try at once, link(2) lets one have it. The highest is never removed, so a number is never taken twice.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { systemClock } from '../clock.js';
import type { Config } from '../config/schema.js';
import { errnoOf, MmaplockError, messageOf } from '../errors.js';
import type { Log } from '../log/log.js';

/** The unit's RuntimeDirectory; made by a daemon that is started by hand. */
const usualDirectory = '/run/mmaplockd';

const markOf = (directory: string, number: number): string => path.join(directory, `instance-${number}.sock`);

/** The numbers of the marks that are there. */
const marksIn = (directory: string): number[] =>
  readdirSync(directory).flatMap((name) => {
    const number = /^instance-([1-9]\d{0,14})\.sock$/.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });

const highestIn = (directory: string): number => Math.max(0, ...marksIn(directory));

/** Milliseconds for a holder to say who it is, in all. */
const answerMilliseconds = 1000;
const longestAnswer = 200;

/** Times that the mark is tried for, while others try as well. */
const attempts = 5;

/** Why what stands in a directory proves nothing; undefined where only root, or this user, can have put it there. */
const distrust = (directory: string): string | undefined => {
  const { uid, mode } = lstatSync(directory);
  if (uid !== 0 && uid !== process.geteuid?.()) return `${directory} is owned by uid ${uid}`;
  return (mode & 0o022) === 0 ? undefined : `others than its owner may write to ${directory}`;
};

/** Who holds the mark now, in words; undefined when nobody does, or where nobody can be believed. */
export const otherInstance = async (directory = usualDirectory): Promise<string | undefined> => {
  try {
    if (distrust(directory) !== undefined) return undefined;
    return await holderIn(directory);
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? undefined : messageOf(error);
  }
};

const holderIn = async (directory: string): Promise<string | undefined> => {
  const highest = highestIn(directory);
  return highest === 0 ? undefined : holderOf(markOf(directory, highest));
};

/** Who listens on a socket, in words; undefined when nobody does. */
const holderOf = (mark: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    let said = '';
    const socket = connect(mark)
      .setEncoding('utf8')
      .on('data', (chunk: string) => {
        said = (said + chunk).slice(0, longestAnswer);
        if (said.length === longestAnswer) socket.destroy();
      })
      .on('error', (error) =>
        resolve(['ECONNREFUSED', 'ENOENT'].includes(errnoOf(error) ?? '') ? undefined : messageOf(error)),
      )
      .on('close', () => {
        cancelLimit();
        resolve(said.replace(/[^\x20-\x7e]/g, '') || 'it does not answer');
      });
    // In all, not between two bytes: one that drips must not hold up the start.
    const cancelLimit = systemClock.after(answerMilliseconds, () => socket.destroy());
  });

/** Gives a socket that listens the number after the highest, whose process is gone; who holds that where it lives. */
const takeNumber = async (own: string, directory: string): Promise<string | undefined> => {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const highest = highestIn(directory);
    const holder = highest === 0 ? undefined : await holderOf(markOf(directory, highest));
    if (holder !== undefined) return holder;
    const mark = markOf(directory, highest + 1);
    try {
      linkSync(own, mark);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
      continue;
    }
    const marks = marksIn(directory);
    if (Math.max(...marks) === highest + 1) {
      for (const lower of marks) if (lower <= highest) rmSync(markOf(directory, lower), { force: true });
      return undefined;
    }
    // Others had that number, and the next, since it was looked for.
    rmSync(mark, { force: true });
  }
  return 'others start at this moment';
};

/**
 * Takes the mark for as long as the process lives; gives who holds it where it is taken.
 * @throws where there can be none: a file system that is read-only, a user other than root
 */
const takeMark = async (directory: string, self: string): Promise<string | undefined> => {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const why = distrust(directory);
  if (why !== undefined) throw new Error(why);
  const own = path.join(directory, `starting-${randomBytes(6).toString('hex')}.sock`);
  const server = createServer((socket) => socket.on('error', () => {}).end(self));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(own, resolve));
  server.unref();
  try {
    chmodSync(own, 0o600);
    const holder = await takeNumber(own, directory);
    if (holder !== undefined) server.close();
    return holder;
  } catch (error) {
    server.close();
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
};

/**
 * Takes the mark. Where the configuration allows a second daemon, or where there can be no mark, says so and goes on.
 * @throws MmaplockError `already_running`, saying who holds it
 */
export const claimHost = async (
  { web, allow_second: allowSecond }: Pick<Config, 'web' | 'allow_second'>,
  log: Pick<Log, 'warn'>,
  directory = usualDirectory,
): Promise<void> => {
  let holder: string | undefined;
  try {
    holder = await takeMark(directory, `pid ${process.pid}, ${web.listen_address.join(' ')}`);
  } catch (error) {
    log.warn(`a second mmaplockd on this host would not be noticed: ${messageOf(error)}`);
    return;
  }
  if (holder === undefined) return;
  const other = new MmaplockError('already_running', `another mmaplockd runs on this host: ${holder}`);
  if (!allowSecond) throw other;
  log.warn(other.message);
};
