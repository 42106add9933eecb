/** How slow this machine is at starting bpftrace, by a program that stays the same whatever the daemon's becomes. */
import { execa } from 'execa';
import { boundedSlowness } from './machine-speed.js';
import { median } from './random.js';

const statement = (n: number): string => `
tracepoint:sched:sched_process_exit {
  $passed = nsecs - @at${n}[tid];
  if ($passed > ${n}) {
    @passed${n}[comm, pid] = hist($passed);
    @names${n}[comm] = count();
    @stacks${n}[kstack] = sum($passed);
  }
  @at${n}[tid] = nsecs;
}`;
const program = ['BEGIN { exit(); }', ...Array.from({ length: 40 }, (_, n) => statement(n))].join('\n');

/** It takes so long on the machine of the README's figures with nothing else to do. */
const usualMilliseconds = 2200;
const starts = 3;

/**
 * How many times longer it takes than is usual: 1 to 2, the median of three. Nothing else may run meanwhile.
 * @throws where bpftrace refuses the program
 */
export const bpftraceSlowness = async (): Promise<number> => {
  const taken: number[] = [];
  for (let start = 0; start < starts; start += 1) {
    const from = performance.now();
    await execa('bpftrace', ['-e', program]);
    taken.push(performance.now() - from);
  }
  return boundedSlowness(median(taken) / usualMilliseconds);
};
