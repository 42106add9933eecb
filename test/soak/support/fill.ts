/**
 * Fills what the daemon keeps of names up to its bounds. By the churn alone that takes hours, in which a heap that is
 * bounded looks like one that is not: with no more than the churn it rose 9 MiB an hour.
 */
import { join } from 'node:path';
import { execa } from 'execa';
import { buildWorkload } from '../../live/support/build.js';
import { track } from '../../live/support/children.js';
import type { Metrics, RunningDaemon } from '../../live/support/daemon.js';
import { runWorkload } from '../../live/support/workload.js';
import { patience, twoMoreTicks } from './patience.js';

/** Readers of a wave: a tracer prints 500 of a map, and of a name beyond those only what it gains later counts. */
const readersAWave = 450;
/** So long each of them lives: by 20 a second the daemon looks who they are, while they live. */
const waveSeconds = 25;
/** As many names as it remembers at most, 4096, are those of ten waves. */
const waves = 10;
/** No further wave begins after this: beside others that take the CPUs each takes longer. */
const mostSeconds = 420;

const lists = ['processes', 'readers', 'blocks'] as const;

/** Lists that have dropped nothing yet. */
const unfilled = async (daemon: RunningDaemon): Promise<readonly string[]> => {
  const answers = await Promise.all(
    lists.map((list) => daemon.get<{ readonly complete: boolean }>(`/api/v1/${list}?limit=1`)),
  );
  return lists.filter((_, index) => answers[index]?.body.complete);
};

/** Each reads once a second. */
const startReaders = `i=0
while [ $i -lt "$1" ]; do
  "$2" smaps "$3" --name "$4$i" --seconds "$5" --pause-us 1000000 >/dev/null 2>&1 &
  i=$((i + 1))
done
wait`;

/** Many readers of one process, which calls itself something else after every few of its waits. */
const wave = async (daemon: RunningDaemon, number: number): Promise<void> => {
  const victim = await runWorkload('writers', [
    ...['--vmas', '200', '--vma-bytes', '16384', '--seconds', '600'],
    ...['--names', '1000000', '--name', `v${number}-`],
  ]);
  await victim.ready;
  const program = join(await buildWorkload(), 'proc-reader');
  const named = [String(readersAWave), program, String(victim.pid), `r${number}-`, String(waveSeconds)];
  const readers = execa('sh', ['-c', startReaders, 'sh', ...named]);
  track(readers);
  await readers;
  await victim.stop();
  await twoMoreTicks(daemon);
};

/** The next tracer counts from zero, so the names of the next wave are among those it prints. */
const anotherTracer = async (daemon: RunningDaemon): Promise<void> => {
  const ended = (metrics: Metrics): number => metrics.sum('mmaplock_tracer_restarts_total') ?? 0;
  const before = ended(await daemon.metrics());
  try {
    process.kill(await daemon.tracerPid(), 'SIGKILL');
  } catch {
    // It has ended meanwhile, as one with full maps does.
  }
  const isAnother = (now: Metrics): boolean => ended(now) > before && now.sum('mmaplock_tracer_up') === 1;
  await daemon.until('another tracer', isAnother, patience);
};

/** @returns how many tracers it killed, at most */
export const fillLists = async (daemon: RunningDaemon, say: (line: string) => void): Promise<number> => {
  const begun = performance.now();
  const seconds = (): number => Math.round((performance.now() - begun) / 1000);
  let number = 0;
  while (number < waves && seconds() < mostSeconds) {
    number += 1;
    await wave(daemon, number);
    await anotherTracer(daemon);
  }
  const left = (await unfilled(daemon)).join(' ') || 'none';
  say(`${number} waves of names in ${seconds()} s; lists that are not full: ${left}`);
  return number;
};
