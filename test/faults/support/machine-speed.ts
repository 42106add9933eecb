/**
 * How slow this machine is right now, by a program that does the same work whatever the daemon does: ten times a second
 * it wakes, reads some JSON and sums it up. A busy hypervisor, or a browser on the same CPUs, makes it and the daemon dear
 * alike.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { execa } from 'execa';
import { track } from '../../live/support/children.js';

const program = `
const rows = Array.from({ length: 60 }, (_, index) => ({ key: 'row ' + index, count: index * 7919, parts: [1, 2, 3, index] }));
const text = JSON.stringify(rows);
const sums = new Map();
setInterval(() => {
  for (const { key, count, parts } of JSON.parse(text))
    sums.set(key, (sums.get(key) ?? 0) + count + parts.length);
}, 100);
`;

/** How slow a reference makes a machine, 1 to 2: one that is slower says nothing of the daemon any more. */
export const boundedSlowness = (measured: number): number => Math.min(2, Math.max(1, measured));

/** Percent of a core that it takes on the machine of the README's figures, on a day on which these were met. */
const usualPercent = 0.14;

/** Of all its threads, to the nanosecond: what it takes in half a minute is little. */
const cpuSeconds = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0])
    .reduce((sum, nanoseconds) => sum + Number(nanoseconds) / 1e9, 0);

export interface MachineSpeed {
  /** How many times more it took since the last call than is usual: 1 to 2. Not in its first 20 s, in which it is compiled. */
  slowness(): number;
  stop(): void;
}

export const watchMachineSpeed = (): MachineSpeed => {
  const child = execa(process.execPath, ['--max-semi-space-size=1', '-e', program], {
    reject: false,
    stdio: 'ignore',
  });
  track(child);
  const pid = child.pid as number;
  const now = () => ({ at: performance.now(), cpu: cpuSeconds(pid) });
  let last = now();
  return {
    slowness: () => {
      const before = last;
      last = now();
      const percent = ((last.cpu - before.cpu) / ((last.at - before.at) / 1000)) * 100;
      return boundedSlowness(percent / usualPercent);
    },
    stop: () => child.kill('SIGTERM'),
  };
};
