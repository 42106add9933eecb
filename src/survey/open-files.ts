/**
 * Tells the tracer who has a proc file open, as far as it cannot know: of processes that had one open before it ran, and
 * of those whose mark has shown no use for long.
 *
 * The daemon has no way into the maps of a running bpftrace, but the tracer sees the daemon's own system calls:
 * bpf/sources/opens-tracepoint.bt marks whoever this process asks after by kill(pid, 0), and takes the mark off whom it asks
 * after by kill(-pid, 0), if the mark is in question. Neither sends anything.
 */
import { messageOf } from '../errors.js';
import { findOpenProcFiles, hasOpenProcFile } from '../identity/open-proc-files.js';
import type { Log } from '../log/log.js';

/** To be called after each start of a tracer; what is opened from then on it sees itself. Never throws. */
export const markOpenProcFiles = async (log: Log): Promise<void> => {
  try {
    const { pids, cutShort } = await findOpenProcFiles();
    for (const pid of pids) askAfter(pid);
    if (cutShort > 0) log.info({ processes: cutShort }, tooMany);
    log.debug(
      { processes: pids.length },
      'processes with a proc file open since before the tracer are marked',
    );
  } catch (error) {
    log.warn({ err: error }, `proc files opened before the tracer are not seen: ${messageOf(error)}`);
  }
};

const tooMany =
  'processes with very many descriptors were not looked at in full: a proc file they opened before the tracer is not seen';

/** Links looked at in any second: some 20 ms. A mark that is not looked at stays, and is asked after again. */
const linksPerSecond = 5000;

interface AnswerOptions {
  /** Milliseconds that never go back. */
  readonly now: () => number;
  readonly hasOpen?: typeof hasOpenProcFile;
  readonly askAfter?: (pid: number) => void;
}

/**
 * Gives what answers a tracer that asks after a mark: it goes where no descriptor of the process leads to a proc file,
 * and stays where one does, and where that cannot be told. The answer never throws.
 */
export const createMarkAnswers = (options: AnswerOptions): ((pid: number) => Promise<void>) => {
  const { now, hasOpen = hasOpenProcFile, askAfter: ask = askAfter } = options;
  let second = Number.NEGATIVE_INFINITY;
  let left = 0;
  return async (pid) => {
    if (now() - second >= 1000) {
      second = now();
      left = linksPerSecond;
    }
    // kill(-1, 0) asks after everybody.
    if (pid <= 1 || left <= 0) return;
    try {
      const { open, links } = await hasOpen(pid, left);
      left -= links;
      if (open === false) ask(-pid);
    } catch {
      // The system is out of descriptors, say: it is asked again.
    }
  };
};

const askAfter = (pid: number): void => {
  try {
    process.kill(pid, 0);
  } catch {
    // Gone in the meantime, or not ours to ask: the call was made all the same, and that is all it is for.
  }
};
