/** A process that maps and unmaps, a reader of its smaps that blocks it, and another that does so less. */
import { setTimeout as pause } from 'node:timers/promises';
import { runWorkload } from '../../live/support/workload.js';

export interface Load {
  stop(): Promise<void>;
}

export const startLoad = async (): Promise<Load> => {
  let ending = false;
  const victim = async (): Promise<void> => {
    while (!ending) {
      const writers = await runWorkload('writers', [
        '--vmas',
        '1000',
        '--seconds',
        '10',
        '--name',
        'pg-victim',
      ]);
      await writers.ready;
      const target = String(writers.pid);
      const reader = await runWorkload('proc-reader', [
        'smaps',
        target,
        '--name',
        'pg-reader',
        '--seconds',
        '9',
      ]);
      const other = async (): Promise<void> => {
        await pause(4000);
        const one = await runWorkload('proc-reader', [
          'smaps_rollup',
          target,
          '--name',
          'pg-other',
          '--seconds',
          '1',
        ]);
        await one.done;
      };
      await Promise.all([writers.done, reader.done, other()]);
    }
  };
  const running = victim();
  running.catch(() => {});
  return {
    stop: async () => {
      ending = true;
      await running;
    },
  };
};
