/**
 * `mmaplockd demo`: makes threads of one process contend for its mmap_lock, lets two others read its maps and smaps,
 * and shows what the daemon sees of it.
 */
import { execa } from 'execa';
import type { Clock } from '../../clock.js';
import type { Config } from '../../config/schema.js';
import { MmaplockError, messageOf } from '../../errors.js';
import { createLog } from '../../log/log.js';
import { claimHost } from '../../survey/single-instance.js';
import {
  type Ending,
  endAtSignals,
  type OwnDaemon,
  observing,
  pause,
  type StartDaemon,
} from '../own-daemon.js';
import { type Programs, withPrograms } from './programs.js';
import { demoReaders, progressHeader, progressLine, summaryOf, watchFor } from './summary.js';

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/**
 * Gives the exit code. SIGINT and SIGTERM end it early and in order: nothing it started is left behind.
 * @param startDaemon main's, for only main starts daemons
 */
export const demo = async (
  config: Config,
  seconds: number,
  clock: Clock,
  startDaemon: StartDaemon,
): Promise<number> => {
  const ending = endAtSignals();
  return withPrograms({ env: process.env, ending: ending.signal }, async (programs) => {
    if (ending.signal.aborted) return ending.exitCode();
    return show(programs, { config, seconds, clock, startDaemon, ending });
  });
};

interface ShowOptions {
  readonly config: Config;
  readonly seconds: number;
  readonly clock: Clock;
  readonly startDaemon: StartDaemon;
  readonly ending: Ending;
}

const show = async (
  programs: Programs,
  { config, seconds, clock, startDaemon, ending }: ShowOptions,
): Promise<number> => {
  const log = createLog({ ...config.log, level: config.log.level === 'info' ? 'warn' : config.log.level });
  const web = { ...config.web, listen_address: ['127.0.0.1:0'], config_file: '', unix_socket: '' };
  await claimHost({ ...config, web }, log);

  const daemon = await startDaemon({ ...config, web }, log, clock);
  try {
    const timeoutSeconds = config.bpftrace.start_timeout_seconds;
    await observing(daemon.view, { timeoutSeconds, clock, ending: ending.signal });
    if (ending.signal.aborted) return ending.exitCode();
    introduce(daemon, seconds);
    const stopShowing = showProgress(daemon, clock);
    try {
      await contend(programs, seconds, ending.signal);
      // The tick that is under way, and the next, which tells the rest.
      if (!ending.signal.aborted) await pause(clock, 1500);
    } finally {
      stopShowing();
    }
    say(`\n${summaryOf(daemon.view)}`);
    return ending.exitCode();
  } finally {
    ending.abort();
    await daemon.stop();
  }
};

const introduce = ({ view, urls: [url] }: OwnDaemon, seconds: number): void => {
  const readers = demoReaders.map(({ name, file }) => `"${name}" reads its /proc/PID/${file}`);
  say(
    [
      `Two threads of "writers" now map, touch, protect and unmap memory for ${seconds} s. All of that needs the`,
      `mmap_lock of their process, so they wait for each other. Half of the time ${readers[0]},`,
      `then ${readers[1]}.`,
      '',
      ...watchFor(view),
      '',
      `Look at ${url}/ with a browser, or run \`mmaplockd top --url ${url}\` in another terminal.`,
      '',
    ].join('\n'),
  );
};

/** Runs the writers, and beside them one reader after the other; resolves once all have ended. */
const contend = async (
  { writers, procReader }: Programs,
  seconds: number,
  ending: AbortSignal,
): Promise<void> => {
  const start = (program: string, args: readonly string[]) =>
    execa(program, args, { cancelSignal: ending, reject: false });
  const endedWell = (name: string, result: { readonly failed: boolean }): void => {
    if (result.failed && !ending.aborted)
      throw new MmaplockError('internal_error', `${name} ended badly: ${messageOf(result)}`);
  };
  const target = start(writers, ['--threads', '2', '--vmas', '2000', '--seconds', String(seconds)]);
  const read = async (): Promise<void> => {
    for (const { name, file } of demoReaders) {
      if (target.pid === undefined || ending.aborted) return;
      const args = [
        file,
        String(target.pid),
        '--seconds',
        String(seconds / demoReaders.length),
        '--name',
        name,
      ];
      endedWell(name, await start(procReader, args));
    }
  };
  await Promise.all([target.then((result) => endedWell('writers', result)), read()]);
};

/** Gives what ends it. */
const showProgress = ({ view }: OwnDaemon, clock: Clock): (() => void) => {
  const startedAt = clock.monotonic();
  let cancel = (): void => {};
  const showLine = (): void => {
    say(progressLine(view, clock.monotonic() - startedAt));
    cancel = clock.after(2000, showLine);
  };
  say(progressHeader());
  cancel = clock.after(2000, showLine);
  return () => cancel();
};
