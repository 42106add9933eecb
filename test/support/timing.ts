/**
 * Verdicts on times, rates and ratios. They depend on what else this machine does, so each is held against a control of
 * the same run; where a control does not take all of that out, the test is tried up to three times. An exact count is
 * never tried again, and neither is anything that is not listed here.
 */
import { AssertionError } from 'node:assert';
import type { TestContext } from 'node:test';

/** The tests that may be tried again, each with the figure that other work of the machine can spoil. */
export const triedAgain = {
  BTF: 'times as long to parse and index the BTF of this kernel as to read it',
  'damaged BTF': 'times as long with damaged BTF as with what it was made from',
  kallsyms: 'times as long to find symbols as to read /proc/kallsyms',
  'kernel profile': 'times as long to make a profile of this host as to read its files',
  light: 'CPU time of the daemon, as a multiple of what a reference takes in the same span',
  'ten-pages': 'the same, while ten pages look on',
  scrape: 'a scrape, as a multiple of one of a bare server',
  'killed-daemon': 'the time in which all processes of a killed daemon are gone',
  'core: a reader of a busy target has to retry': 'whether it ever does, which takes two CPUs at once',
  'core: blocked for as long as the writer slept':
    'seconds blocked, against those the scheduler says it slept',
  'core: a reader that holds the lock without a CPU':
    'the longest wait of a writer; without one there is nothing to tell',
  'core: back after a kill': 'seconds until a killed tracer observes again, against its first start',
  'blocks: for as long as the writer sleeps': 'as above, and what maps blocks in as many seconds',
  'blocks: each of two readers has the share of its holds':
    'percent of the holds that an independent program saw',
  'blocks: clear_refs meets writers and readers':
    'whether they meet at all in 500 passes, which takes two CPUs at once',
  'blocks: readers of one name in two cgroups':
    'whether each meets a writer in its seconds, which takes two CPUs at once',
  'blocks: PAGEMAP_SCAN and listings of map_files':
    'seconds blocked, against those the scheduler says it slept',
  'blocks: without windows, most of what the writer sleeps':
    'seconds blocked, against those the scheduler says it slept',
  'evidence: a reader that holds the lock without a CPU':
    'the longest wait of a writer, its share without a CPU, what queued',
  'evidence: shares by windows are those by holds':
    'percent of the holds that inspect mode saw in the same seconds',
  'session: a tick each second': 'seconds between ticks as they come through the pipe',
  'start-check: hidden addresses, a reader blocks a writer':
    'whether they meet for a tenth of a second, which takes two CPUs at once',
  'lock-path: a daemon that is ended while it tries it out':
    'seconds until it has ended, against those a kill would take',
  'cli: the reader of smaps of the demo blocks': 'whether it meets a writer in the few seconds that it has',
  'workload: the time of a writer': 'the share of its time that it spends in its operations',
  'workload: how long a short-lived process waits': 'milliseconds of its one wait',
  'workload: how long a lock is held for a stopped process':
    'by the clock of the kernel and by that of the program',
  'workload: waits of two writers': 'how often they meet, which takes two CPUs at once',
  'maps: blocked for 0.95 x what the writer slept to 1.05 x what its calls took longer':
    'an emulator gives its processors turns of 100 ms, more where it waits for a CPU itself',
  'two readers: shares by windows are within 10 points of those by real holds':
    'the windows are looked at for some seconds longer than the holds, in which the readers had other turns',
} as const satisfies Readonly<Record<string, string>>;

export type TriedAgain = keyof typeof triedAgain;

const attempts = 3;

/** deploy/bootstrap/tests/events.mjs counts the diagnostics that begin so. */
const mark = 'retried: ';

/** A time, a rate or a ratio that was missed: the one failure after which a test is tried again. */
class Mistimed extends AssertionError {}

/**
 * Fails as a missed time, which is tried again within `upToThreeTimes`, and is an ordinary failure elsewhere.
 * @param message the figure, its control and the limit
 */
export const assertTimely: (holds: boolean, message: string) => asserts holds = (holds, message) => {
  if (!holds) throw new Mistimed({ message, actual: holds, expected: true, operator: '==' });
};

/**
 * Runs an attempt until it misses no time, three times at most. Each miss is printed and counted.
 * @throws what the last attempt threw; what is no missed time, at once
 */
export const upToThreeTimes = async <Result>(
  context: Pick<TestContext, 'diagnostic'>,
  test: TriedAgain,
  attempt: () => Promise<Result>,
): Promise<Result> => {
  for (let number = 1; ; number += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Mistimed) || number === attempts) throw error;
      context.diagnostic(`${mark}${test}, attempt ${number} of ${attempts}: ${error.message}`);
    }
  }
};
