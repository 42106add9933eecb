/** `mmaplockd record`: what the daemon would see, for a while and without one. It listens nowhere. */
import type { Clock } from '../../clock.js';
import type { Config } from '../../config/schema.js';
import { createLog } from '../../log/log.js';
import { otherInstance } from '../../survey/single-instance.js';
import { endAtSignals, observing, type StartDaemon } from '../own-daemon.js';
import { checkHtml, recordedHistory, writeHtml } from './html.js';
import { recordJson } from './json.js';
import { askLists } from './lists.js';
import { progressOn } from './progress.js';
import { recordFor } from './recording.js';
import { summaryOf } from './summary.js';

/** What is said besides the result: standard output holds that alone. */
const tell = (text: string): void => {
  process.stderr.write(`mmaplockd: ${text}\n`);
};

/** Such a daemon serves nobody, and leaves the incidents on disk to the one that keeps them. */
export const withoutTraces = (config: Config): Config => ({
  ...config,
  web: { ...config.web, listen_address: [], config_file: '', unix_socket: '' },
  incidents: { ...config.incidents, directory: '' },
});

export interface RecordChoice {
  readonly seconds: number;
  readonly json: boolean;
  /** A file to write, to be looked at with a browser. */
  readonly html: string | undefined;
}

/**
 * Gives the exit code. SIGINT and SIGTERM end it early and in order: what was seen so far is told, and no tracer is
 * left behind. It does not take the mark of this host's one daemon, so that one can run beside it, or be started.
 * @param startDaemon main's, for only main starts daemons
 * @throws MmaplockError where nothing can be observed, with the code of what is in the way
 */
export const record = async (
  config: Config,
  { seconds, json, html }: RecordChoice,
  clock: Clock,
  startDaemon: StartDaemon,
): Promise<number> => {
  if (html !== undefined) checkHtml(html);
  const ending = endAtSignals();
  const other = await otherInstance();
  if (other !== undefined) tell(`another mmaplockd runs on this host (${other}); this one records beside it`);
  // Incidents are told at the end, and what keeps it from observing by the error.
  const log = createLog({ ...config.log, level: config.log.level === 'info' ? 'fatal' : config.log.level });
  const daemon = await startDaemon(withoutTraces(config), log, clock, { history: recordedHistory(seconds) });
  try {
    const timeoutSeconds = config.bpftrace.start_timeout_seconds;
    await observing(daemon.view, { timeoutSeconds, clock, ending: ending.signal });
    if (ending.signal.aborted) return ending.exitCode();
    tell(`recording for ${seconds} s; Ctrl-C ends it early`);
    const progress = progressOn(process.stderr, daemon.view, seconds);
    const recording = await recordFor(daemon.view, {
      seconds,
      clock,
      ending: ending.signal,
      onProgress: progress.show,
    }).finally(progress.end);
    if (html !== undefined) {
      writeHtml(html, recording);
      tell(`${html} holds what was recorded: open it with a browser`);
    }
    process.stdout.write(
      json
        ? `${JSON.stringify(recordJson(recording, await askLists(recording.view)), undefined, 2)}\n`
        : summaryOf(recording),
    );
    return ending.exitCode();
  } finally {
    await daemon.stop();
  }
};
