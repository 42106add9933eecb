/** Learns something of a bpftrace once: again only when the executable is another, as after an upgrade. */
import { stat } from 'node:fs/promises';

/**
 * A function that gives what is known of the bpftrace at a path. A start of the tracer does not ask it for its version
 * (0.15 s of CPU) or wait for the canary (0.3 s) again while the file behind the path is the same, by device, inode, size
 * and time of change.
 *
 * It rejects as `learn` does; then nothing is remembered.
 */
export const createFileMemory = <Bpftrace extends { readonly path: string }, Known>(
  learn: (bpftrace: Bpftrace, signal?: AbortSignal) => Promise<Known>,
): ((bpftrace: Bpftrace, signal?: AbortSignal) => Promise<Known>) => {
  let last: { readonly file: string; readonly known: Known } | undefined;
  return async (bpftrace, signal) => {
    const { path } = bpftrace;
    const { dev, ino, size, ctimeMs } = await stat(path);
    const file = [path, dev, ino, size, ctimeMs].join(' ');
    if (last?.file !== file) last = { file, known: await learn(bpftrace, signal) };
    return last.known;
  };
};
