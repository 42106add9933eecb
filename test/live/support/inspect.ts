/** Inspect mode as a user asks for it, and what the watch program said of the same seconds. */
import type { Metrics, RunningDaemon } from './daemon.js';
import { runWorkload } from './workload.js';

export interface InspectAnswer {
  readonly evidence: string;
  readonly started_at: string;
  readonly ended_at: string;
  readonly data: readonly {
    readonly reader: string;
    readonly victim: string;
    readonly block_seconds_total: number;
  }[];
  readonly holds: readonly {
    readonly file: string;
    readonly holds_total: number;
    readonly hold_seconds_total: number;
  }[];
  readonly kernel_stacks: readonly { readonly frames: readonly string[]; readonly count: number }[];
}

export interface Shares {
  readonly answer: InspectAnswer;
  /** Percent that the first of the readers has of the blocks of both: by real holds, and by windows. */
  readonly real: number;
  readonly seen: number;
  /** Seconds of both together, by real holds. */
  readonly seconds: number;
}

/** The readers, and the file each of them reads. */
const files = { 'reader-a': 'smaps_rollup', 'reader-b': 'smaps' } as const;
export const readerNames = ['reader-a', 'reader-b'] as const;

/** A writer on CPU 0 and two readers of it on CPU 1, all at work until they are stopped. */
export const writerAndReaders = async (name: string, writerArgs: readonly string[], seconds: number) => {
  const writers = await runWorkload(
    'writers',
    [...writerArgs, '--pin', '0', '--seconds', String(seconds), '--name', name],
    { gate: true },
  );
  await writers.ready;
  const readers = [];
  for (const reader of readerNames) {
    const args = [files[reader], String(writers.pid), '--name', reader, '--pin', '1'];
    const started = await runWorkload('proc-reader', [...args, '--seconds', String(seconds)], { gate: true });
    await started.ready;
    readers.push(started);
  }
  const all = [writers, ...readers];
  for (const { release } of all) release();
  return {
    pid: writers.pid,
    name,
    stop: async (): Promise<void> => {
      for (const { stop } of all) await stop();
    },
  };
};

export interface InspectOptions {
  readonly token: string;
  readonly seconds: number;
  readonly victim: { readonly pid: number; readonly name: string };
}

/**
 * Has the daemon inspect a process while its two readers are at work.
 * @throws Error when it does not answer with 200
 */
export const inspectShares = async (
  daemon: RunningDaemon,
  { token, seconds, victim }: InspectOptions,
): Promise<Shares> => {
  const samples: { at: number; blocked: readonly number[] }[] = [];
  /** Takes the next tick that comes. */
  const sample = async (): Promise<void> => {
    const tickOf = (now: Metrics): number => now.sum('mmaplock_last_tick_timestamp_seconds') ?? 0;
    const last = samples.at(-1)?.at ?? 0;
    const metrics = await daemon.until('a tick', (now) => 1000 * tickOf(now) > last);
    const blocked = readerNames.map(
      (reader) => metrics.sum('mmaplock_reader_block_seconds_total', { reader, victim: victim.name }) ?? 0,
    );
    samples.push({ at: 1000 * tickOf(metrics), blocked });
  };
  await sample();
  let answered = false;
  const asked = fetch(`${daemon.url}/api/v1/inspect?seconds=${seconds}&target=${victim.pid}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  }).finally(() => {
    answered = true;
  });
  while (!answered) await sample();
  // One that began after the end.
  await sample();
  await sample();
  const response = await asked;
  const answer = (await response.json()) as InspectAnswer;
  if (response.status !== 200) throw new Error(`inspect: ${response.status} ${JSON.stringify(answer)}`);

  const [from, to] = [Date.parse(answer.started_at), Date.parse(answer.ended_at)];
  const first = samples.findLast(({ at }) => at <= from) ?? samples[0]!;
  const last = samples.find(({ at }) => at >= to) ?? samples.at(-1)!;
  const overlap = readerNames.map((reader) =>
    answer.data
      .filter((row) => row.reader === reader && row.victim === victim.name)
      .reduce((sum, row) => sum + row.block_seconds_total, 0),
  );
  const windows = readerNames.map((_, index) => last.blocked[index]! - first.blocked[index]!);
  const percent = ([a = 0, b = 0]: readonly number[]): number => (100 * a) / (a + b);
  return {
    answer,
    real: percent(overlap),
    seen: percent(windows),
    seconds: overlap.reduce((sum, value) => sum + value, 0),
  };
};
