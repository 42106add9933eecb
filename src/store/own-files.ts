/**
 * The files of incidents in their directory: only regular files whose name is of our form count, and only they are ever
 * opened or removed. A symbolic link is never followed; the directory itself may be one (StateDirectory= of systemd).
 */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../errors.js';

export interface OwnFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/** The time of the first line, UTC, in a form that sorts. */
const ownName = /^incidents-(\d{8}T\d{9}Z)\.jsonl$/;

const directoryMode = 0o750;
const fileMode = 0o640;

/** Makes the directory where there is none. Rejects with the error of the system. */
export const makeDirectory = async (directory: string): Promise<void> => {
  await mkdir(directory, { recursive: true, mode: directoryMode });
};

/** Ours, oldest first; none where there is no directory. Rejects with the error of the system. */
export const listOwnFiles = async (directory: string): Promise<OwnFile[]> => {
  const names = (await unlessMissing(readdir(directory))) ?? [];
  const files: OwnFile[] = [];
  for (const name of names.filter((name) => ownName.test(name)).sort()) {
    const path = join(directory, name);
    const stats: Stats | undefined = await unlessMissing(lstat(path));
    if (stats?.isFile()) files.push({ name, path, bytes: stats.size });
  }
  return files;
};

/**
 * The name of a file whose first line is written now (milliseconds since the epoch). It sorts behind the newest there
 * is, also when the time of day was set back.
 */
export const nextName = (now: number, newest: string | undefined): string => {
  const stamp = (at: number): string => new Date(at).toISOString().replace(/[-:.]/g, '');
  const last = ownName.exec(newest ?? '')?.[1];
  const at = last === undefined ? now : Math.max(now, timeOf(last) + 1);
  return `incidents-${stamp(at)}.jsonl`;
};

const timeOf = (stamp: string): number =>
  Date.parse(stamp.replace(/^(....)(..)(..)T(..)(..)(..)(...)Z$/, '$1-$2-$3T$4:$5:$6.$7Z')) || 0;

/** Opens one of ours. Rejects with ELOOP for a symbolic link, and for what else is no file. */
export const openOwnFile = async (path: string, use: 'read' | 'append'): Promise<FileHandle> => {
  const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const flags = use === 'read' ? O_RDONLY : O_RDWR | O_APPEND | O_CREAT;
  // Without O_NONBLOCK a pipe of that name would hold us up for ever.
  const file = await open(path, flags | O_NOFOLLOW | O_NONBLOCK, fileMode);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error(`${path} is no regular file`);
};

/** Removes one of ours; one that is gone already is as good. */
export const removeOwnFile = async ({ path }: OwnFile): Promise<void> => {
  await unlessMissing(unlink(path));
};

const unlessMissing = async <T>(result: Promise<T>): Promise<T | undefined> => {
  try {
    return await result;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};
