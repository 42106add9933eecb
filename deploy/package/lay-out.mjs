/** Lays files out as they shall be on a host: the same names, bytes, modes and times from the same sources. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CannotGoOn } from '../bootstrap/report.mjs';

/** As the policy of Debian wants it, without name and time. Not by zlib of Node: its bytes change with its version. */
const gzip = (path) => {
  const { status, stderr, error } = spawnSync('gzip', ['-9n', path]);
  if (status !== 0) throw new CannotGoOn(`gzip failed: ${error?.message ?? stderr}`, 'see what it says');
};

const put = (root, { path, text, from, mode = 0o644, gzip: packed = false }) => {
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  if (text === undefined) copyFileSync(from, target);
  else writeFileSync(target, text);
  chmodSync(target, mode);
  if (packed) gzip(target);
};

/** The umask and the clock of whoever builds shall not show. */
const settle = (folder, seconds) => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) settle(path, seconds);
    else utimesSync(path, seconds, seconds);
  }
  chmodSync(folder, 0o755);
  utimesSync(folder, seconds, seconds);
};

/**
 * @param root an empty folder
 * @param files as packageTree() gives them
 * @param seconds since the epoch, for everything
 */
export const layOut = (root, files, seconds) => {
  for (const file of files) put(root, file);
  settle(root, seconds);
};
