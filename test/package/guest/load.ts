/** Under load it sees what it is there for, from within its sandbox. */
import { check, figure } from '../../kernels/guest/report.js';
import { runWorkload } from '../../live/support/workload.js';
import { property } from './command.js';
import { metrics, until } from './service.js';

const mib = 2 ** 20;

export const load = async (): Promise<void> => {
  const writers = await runWorkload('writers', ['--name', 'wr-unit', '--vmas', '300', '--seconds', '600']);
  await writers.ready;
  const reader = await runWorkload('proc-reader', [
    'smaps',
    `${writers.pid}`,
    '--seconds',
    '600',
    '--name',
    'rd-unit',
  ]);
  const seen = await until(
    'waits, reads and blocks',
    metrics,
    (now) =>
      (now.sum('mmaplock_process_waits_total', { process: 'wr-unit' }) ?? 0) > 0 &&
      (now.sum('mmaplock_reader_blocks_total', { reader: 'rd-unit', victim: 'wr-unit' }) ?? 0) > 0,
  ).catch((error: unknown) => String(error));
  check(
    'it serves metrics under load: who waits, and which reader blocks it',
    typeof seen !== 'string',
    `${seen}`,
  );
  if (typeof seen !== 'string')
    check(
      'all probes run in the sandbox of the unit',
      // An emulated host may find them too dear.
      seen.sum('mmaplock_tracer_restarts_total') ===
        seen.sum('mmaplock_tracer_restarts_total', { reason: 'budget' }),
    );
  const measured = await until(
    'a sample of what the probes cost',
    metrics,
    (now) => now.sum('mmaplock_probe_cost_ratio') !== undefined,
  ).catch((error: unknown) => String(error));
  check(
    'what the probes cost is measured in the sandbox of the unit',
    typeof measured !== 'string',
    `${measured}`,
  );
  figure('memory of the unit', `${Math.round(Number(await property('MemoryCurrent')) / mib)} MiB`);
  await reader.stop();
  await writers.stop();
};
