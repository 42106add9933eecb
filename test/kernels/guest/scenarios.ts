/** What every scenario needs: the daemon under test, a reader of a target, and what the daemon counted of it. */
import type { ProcFile } from '../../../src/vocabulary.js';
import type { Metrics, RunningDaemon } from '../../live/support/daemon.js';
import { type ProcReaderResult, runWorkload } from '../../live/support/workload.js';
import { check } from './report.js';

export const total = (
  metrics: Metrics,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number => metrics.sum(`mmaplock_${name}`, labels) ?? 0;

/** Probes of reads that the kernel skipped, for they would have interrupted another on the same CPU. */
const missedReads = (metrics: Metrics): number =>
  metrics
    .all('mmaplock_probe_misses_total')
    .filter(({ labels }) => /seq_read|pagemap_read|procmap_ioctl|sys_exit_/.test(labels.probe ?? ''))
    .reduce((sum, { value }) => sum + value, 0);

export interface Reading {
  readonly truth: ProcReaderResult;
  readonly reads: number;
  readonly opens: number;
  readonly retries: number;
  readonly blocks: number;
  readonly blockSeconds: number;
  /** Probes of reads that the kernel skipped meanwhile. */
  readonly missed: number;
}

/** What one reader is to do, by a name of its own. */
export interface ReaderTask {
  readonly file: ProcFile;
  readonly pid: number;
  readonly name: string;
  readonly args: readonly string[];
}

/**
 * One reader after the other; what the daemon counted is read once, for every tick takes its time.
 * @param after what else is to be over by then
 */
export const readAll = async (
  daemon: RunningDaemon,
  tasks: readonly ReaderTask[],
  after: () => Promise<unknown> = async () => {},
): Promise<{ readings: Reading[]; metrics: Metrics }> => {
  const before = missedReads(await daemon.metrics());
  const truths: ProcReaderResult[] = [];
  for (const { file, pid, name, args } of tasks) {
    const reader = await runWorkload('proc-reader', [file, String(pid), '--name', name, ...args]);
    truths.push(await reader.done);
  }
  await after();
  const metrics = await daemon.settled();
  const missed = missedReads(metrics) - before;
  const readings = tasks.map(({ file, name }, index) => ({
    truth: truths[index] as ProcReaderResult,
    ...seenOf(metrics, name, file),
    missed,
  }));
  return { readings, metrics };
};

/** What the daemon counted of a reader. */
export const seenOf = (metrics: Metrics, reader: string, file: ProcFile) => ({
  reads: total(metrics, 'reader_reads_total', { reader, file }),
  opens: total(metrics, 'reader_opens_total', { reader }),
  retries: total(metrics, 'reader_retries_total', { reader, file }),
  blocks: total(metrics, 'reader_blocks_total', { reader, file }),
  blockSeconds: total(metrics, 'reader_block_seconds_total', { reader, file }),
});

/** Every read the reader made was counted: exactly, or all but those whose probe was skipped, which are told. */
export const checkReads = (what: string, { truth, reads, opens, missed }: Reading): void => {
  const told = `${reads} of ${truth.reads} reads${missed === 0 ? '' : `, ${missed} probes skipped meanwhile`}`;
  const exact = missed === 0 ? reads === truth.reads : reads <= truth.reads && reads + missed >= truth.reads;
  check(`${what}: every read is counted, or told as missed`, truth.reads > 0 && exact, told);
  check(`${what}: every open is counted`, opens === truth.opens, `${opens} of ${truth.opens} opens`);
};
