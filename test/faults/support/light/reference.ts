/**
 * A control for the CPU time of the daemon: a program of the same kind that does the same work whatever the daemon does.
 * Ten times a second it wakes, reads some JSON and sums it up. What makes the one dear makes the other dear alike: a slow
 * machine, a busy hypervisor, caches that others had.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { track } from '../../../live/support/children.js';

const program = `
const rows = Array.from({ length: 60 }, (_, index) => ({ key: 'row ' + index, count: index * 7919, parts: [1, 2, 3, index] }));
const text = JSON.stringify(rows);
const sums = new Map();
setInterval(() => {
  for (const { key, count, parts } of JSON.parse(text))
    sums.set(key, (sums.get(key) ?? 0) + count + parts.length);
}, 100);
`;

/** Of all threads that it has, to the nanosecond: what it takes in half a minute is little. */
export const cpuSeconds = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0])
    .reduce((sum, nanoseconds) => sum + Number(nanoseconds) / 1e9, 0);

/** What processes took in the same span, in percent of a core. */
export type Taken<Name extends string> = Readonly<Record<Name | 'reference', number>>;

export interface Reference {
  /** Watches processes for so long, and the reference beside them. Not in its first 20 s, in which it is compiled. */
  watch<Name extends string>(pids: Readonly<Record<Name, number>>, seconds: number): Promise<Taken<Name>>;
  stop(): void;
}

export const startReference = (): Reference => {
  const child = execa(process.execPath, ['--max-semi-space-size=1', '-e', program], {
    reject: false,
    stdio: 'ignore',
  });
  track(child);
  const reference = child.pid as number;
  return {
    watch: async <Name extends string>(pids: Readonly<Record<Name, number>>, seconds: number) => {
      const all = Object.entries<number>({ ...pids, reference });
      const from = performance.now();
      const before = all.map(([, pid]) => cpuSeconds(pid));
      await sleep(seconds * 1000);
      const span = (performance.now() - from) / 1000;
      return Object.fromEntries(
        all.map(([name, pid], index) => [name, ((cpuSeconds(pid) - before[index]!) / span) * 100]),
      ) as Taken<Name>;
    },
    stop: () => child.kill('SIGTERM'),
  };
};
