/** Inspect mode as a user asks for it, and what the watch program said of the same seconds. */
import type { RunningDaemon } from './daemon.js';

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

export interface InspectOptions {
  readonly token: string;
  readonly seconds: number;
  readonly victim: { readonly pid: number; readonly name: string };
  readonly readers: readonly [string, string];
}

/**
 * Has the daemon inspect a process while its two readers are at work.
 * @throws Error when it does not answer with 200
 */
export const inspectShares = async (
  daemon: RunningDaemon,
  { token, seconds, victim, readers }: InspectOptions,
): Promise<Shares> => {
  const samples: { at: number; blocked: readonly number[] }[] = [];
  const sample = async (): Promise<void> => {
    const metrics = await daemon.settled();
    const blocked = readers.map(
      (reader) => metrics.sum('mmaplock_reader_block_seconds_total', { reader, victim: victim.name }) ?? 0,
    );
    samples.push({ at: Date.now(), blocked });
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
  await sample();
  const response = await asked;
  const answer = (await response.json()) as InspectAnswer;
  if (response.status !== 200) throw new Error(`inspect: ${response.status} ${JSON.stringify(answer)}`);

  const [from, to] = [Date.parse(answer.started_at), Date.parse(answer.ended_at)];
  const first = samples.findLast(({ at }) => at <= from) ?? samples[0]!;
  const last = samples.find(({ at }) => at >= to) ?? samples.at(-1)!;
  const overlap = readers.map((reader) =>
    answer.data
      .filter((row) => row.reader === reader && row.victim === victim.name)
      .reduce((sum, row) => sum + row.block_seconds_total, 0),
  );
  const windows = readers.map((_, index) => last.blocked[index]! - first.blocked[index]!);
  const percent = ([a = 0, b = 0]: readonly number[]): number => (100 * a) / (a + b);
  return {
    answer,
    real: percent(overlap),
    seen: percent(windows),
    seconds: overlap.reduce((sum, value) => sum + value, 0),
  };
};
