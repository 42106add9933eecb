import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const running = new Set<ChildProcess>();

/** Remembers a child until it ends, for killLeftovers(). */
export function track(child: ChildProcess): void {
  if (child.pid === undefined) return;
  running.add(child);
  child.once('exit', () => running.delete(child));
}

/**
 * Kills what a failed test left running, which would otherwise keep the test run from ending and spoil the
 * counts of the next test: `afterEach(killLeftovers)`.
 */
export async function killLeftovers(): Promise<void> {
  await Promise.all(
    [...running].map((child) => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      return exited;
    }),
  );
}
