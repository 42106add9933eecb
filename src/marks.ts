/**
 * Tells the tracer of processes that had a proc file open before it ran, which no open() will show it any more.
 *
 * The daemon has no way into the maps of a running bpftrace, but the tracer sees the daemon's own system calls:
 * bpf/proc-opens.bt marks whoever this process asks after by kill(pid, 0), which sends nothing.
 */
import { messageOf } from './errors.js';
import { findOpenProcFiles } from './identity/open-proc-files.js';
import type { Log } from './log/log.js';

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

const askAfter = (pid: number): void => {
  try {
    process.kill(pid, 0);
  } catch {
    // Gone in the meantime, or not ours to ask: the call was made all the same, and that is all it is for.
  }
};
