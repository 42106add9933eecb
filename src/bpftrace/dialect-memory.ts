/** Learns the dialect of a bpftrace once: again only when the executable is another, as after an upgrade. */
import { stat } from 'node:fs/promises';
import type { Dialect } from './dialect.js';

/**
 * A function that gives the dialect of the bpftrace at a path. A start of the tracer does not wait for the canary
 * (0.3 s of CPU) again while the file behind the path is the same, by device, inode, size and time of change.
 *
 * It rejects as runCanary() does; then nothing is remembered.
 */
export const createDialectMemory = <Bpftrace extends { readonly path: string }>(
  learn: (bpftrace: Bpftrace) => Promise<Dialect>,
): ((bpftrace: Bpftrace) => Promise<Dialect>) => {
  let known: { readonly file: string; readonly dialect: Dialect } | undefined;
  return async (bpftrace) => {
    const { path } = bpftrace;
    const { dev, ino, size, ctimeMs } = await stat(path);
    const file = [path, dev, ino, size, ctimeMs].join(' ');
    if (known?.file !== file) known = { file, dialect: await learn(bpftrace) };
    return known.dialect;
  };
};
