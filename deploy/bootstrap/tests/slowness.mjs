/**
 * How slow this machine is at the moment: two pieces of work that never change, held against what they took on the
 * machine for which the limits of the tests' tiers are written. Tests judge nothing by it: their verdicts are held
 * against controls of the same run. It stretches the limit of a tier, and how long a test waits for an event.
 */
import { spawnSync } from 'node:child_process';
import { say } from '../report.mjs';

const rounds = 3;

/** What each took there with nothing beside it, in milliseconds. */
const reference = { parse: 78, bpftrace: 800 };

const document = JSON.stringify(
  Array.from({ length: 2000 }, (_, index) => ({
    key: `row ${index}`,
    count: index * 7919,
    parts: [1, 2, index],
  })),
);

const parse = () => {
  for (let round = 0; round < 160; round += 1) JSON.parse(document);
  return true;
};

const statement = (n) => `
tracepoint:sched:sched_process_exit {
  $passed = nsecs - @at${n}[tid];
  if ($passed > ${n}) {
    @passed${n}[comm, pid] = hist($passed);
    @stacks${n}[kstack] = sum($passed);
  }
  @at${n}[tid] = nsecs;
}`;
const program = `interval:ms:1 { exit(); }\n${Array.from({ length: 10 }, (_, n) => statement(n)).join('\n')}`;

const startBpftrace = () =>
  spawnSync('bpftrace', ['-e', program], { stdio: 'ignore', timeout: 60_000 }).status === 0;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Milliseconds, the median of some rounds; undefined where it does not work here. */
const time = (work) => {
  const taken = [];
  for (let round = 0; round < rounds; round += 1) {
    const from = performance.now();
    if (!work()) return undefined;
    taken.push(performance.now() - from);
  }
  return median(taken);
};

/**
 * Measures both, prints them and gives the larger: 1 on the machine of the reference, 2 on one that is half as fast.
 * Where bpftrace does not run, the parse alone counts.
 */
export const measureSlowness = () => {
  const took = { parse: time(parse), bpftrace: time(startBpftrace) };
  const ratios = Object.entries(took).flatMap(([name, milliseconds]) =>
    milliseconds === undefined ? [] : [{ name, milliseconds, ratio: milliseconds / reference[name] }],
  );
  const slowness = Math.max(...ratios.map(({ ratio }) => ratio));
  const parts = ratios.map(
    ({ name, milliseconds, ratio }) => `${name} ${milliseconds.toFixed(0)} ms, ${ratio.toFixed(2)}`,
  );
  say(`slowness ${slowness.toFixed(2)} of this machine now (1 is the reference; ${parts.join('; ')})`);
  return slowness;
};

/**
 * Measures it once for all that is started from here: tests wait for events so many times longer.
 * @returns the slowness, of whoever started us where that has measured it
 */
export const shareSlowness = () => {
  const known = Number(process.env.TEST_SLOWNESS);
  if (known > 0) return known;
  const slowness = measureSlowness();
  process.env.TEST_SLOWNESS = Math.max(1, slowness).toFixed(2);
  return slowness;
};
