/**
 * `mmaplockd demo`: makes threads of one process contend for its mmap_lock, lets two others read its maps and smaps,
 * and shows what the daemon sees of it.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import type { Clock } from '../../clock.js';
import type { Config } from '../../config/schema.js';
import { MmaplockError, messageOf } from '../../errors.js';
import { createLog } from '../../log/log.js';
import { packageRoot } from '../../package-root.js';
import { claimHost } from '../../survey/single-instance.js';
import { endAtSignals, type OwnDaemon, observing, pause, type StartDaemon } from '../own-daemon.js';
import { demoReaders, progressHeader, progressLine, summaryOf, watchFor } from './summary.js';

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** Paths of the compiled programs. */
interface Workload {
  readonly writers: string;
  readonly procReader: string;
}

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
  const workload = { writers: await compiled('writers'), procReader: await compiled('proc-reader') };
  const log = createLog({ ...config.log, level: config.log.level === 'info' ? 'warn' : config.log.level });
  const web = { ...config.web, listen_address: ['127.0.0.1:0'], config_file: '', unix_socket: '' };
  await claimHost({ ...config, web }, log);

  const ending = endAtSignals();
  const daemon = await startDaemon({ ...config, web }, log, clock);
  try {
    const timeoutSeconds = config.bpftrace.start_timeout_seconds;
    await observing(daemon.view, { timeoutSeconds, clock, ending: ending.signal });
    if (ending.signal.aborted) return ending.exitCode();
    introduce(daemon, seconds);
    const stopShowing = showProgress(daemon, clock);
    try {
      await contend(workload, seconds, ending.signal);
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

/** A program of the workload, compiled unless that has been done since its sources last changed. */
const compiled = async (name: string): Promise<string> => {
  const sources = path.join(packageRoot, 'test/workload');
  const source = path.join(sources, `${name}.c`);
  const target = path.join(packageRoot, 'dist/workload', name);
  const headers = (await readdir(sources).catch(() => [])).filter((file) => file.endsWith('.h'));
  const changed = await Promise.all(
    [source, ...headers.map((file) => path.join(sources, file))].map(changedAt),
  );
  if ((await changedAt(target)) > Math.max(...changed)) return target;
  if (!existsSync(source))
    throw new MmaplockError('workload_missing', `the demonstration's load is not here: ${source}`, {
      fix: 'Run the demonstration from a checkout of the source.',
    });
  await mkdir(path.dirname(target), { recursive: true });
  // Another demonstration must not run what this one has half written.
  const unfinished = `${target}.${process.pid}`;
  const result = await execa('cc', ['-O2', '-pthread', '-o', unfinished, source], { reject: false });
  if (result.failed)
    throw new MmaplockError('workload_missing', `cc failed: ${result.stderr || messageOf(result)}`);
  await rename(unfinished, target);
  return target;
};

/** Milliseconds since the epoch, 0 where there is no such file. */
const changedAt = async (file: string): Promise<number> =>
  (await stat(file).catch(() => undefined))?.mtimeMs ?? 0;

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
  { writers, procReader }: Workload,
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
  const show = (): void => {
    say(progressLine(view, clock.monotonic() - startedAt));
    cancel = clock.after(2000, show);
  };
  say(progressHeader());
  cancel = clock.after(2000, show);
  return () => cancel();
};
