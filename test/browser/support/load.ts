/** A process that maps and unmaps, a reader of its smaps that blocks it, and another that does so less. */
import { runWorkload } from '../../live/support/workload.js';

export interface Load {
  stop(): Promise<void>;
}

/** Starts them; they go on until they are stopped. */
export const startLoad = async (): Promise<Load> => {
  const forever = ['--seconds', '3600'];
  const victim = await runWorkload('writers', ['--vmas', '1000', ...forever, '--name', 'pg-victim']);
  await victim.ready;
  const target = String(victim.pid);
  const reader = await runWorkload('proc-reader', ['smaps', target, '--name', 'pg-reader', ...forever]);
  const pauses = ['--pause-us', '200000'];
  const other = await runWorkload('proc-reader', [
    ...['smaps_rollup', target, '--name', 'pg-other'],
    ...pauses,
    ...forever,
  ]);
  return {
    stop: async () => {
      for (const one of [other, reader, victim]) await one.stop();
    },
  };
};
