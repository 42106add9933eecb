/**
 * `mmaplockd support-bundle`: one file with what helps to find out why a host is not observed as it should be. It is
 * written above all where something fails, so a part that fails is told by its error and the others go on.
 */
import os from 'node:os';
import { statusOf } from '../../api/status.js';
import { type Clock, isoTime } from '../../clock.js';
import type { Config } from '../../config/schema.js';
import { version } from '../../config/version.js';
import { MmaplockError, messageOf } from '../../errors.js';
import { createLog } from '../../log/log.js';
import { joinProgram } from '../../probes/program.js';
import { checkJson, examine } from '../check/check.js';
import { type Ending, endAtSignals, type OwnDaemon, observing, type StartDaemon } from '../own-daemon.js';
import { recordJson } from '../record/json.js';
import { askLists } from '../record/lists.js';
import { withoutTraces } from '../record/record.js';
import { type Recording, recordFor } from '../record/recording.js';
import { withoutSecrets } from './config.js';
import { bundleName, openBundleFile } from './file.js';
import { incidentWithoutNames, metricsWithoutNames, pseudonym, rowsWithoutNames } from './names.js';
import { keepStderr, keepTicks } from './tails.js';

export interface BundleOptions {
  /** Of the recording. */
  readonly seconds: number;
  /** `-` is standard output; undefined: a name that is made up. */
  readonly file: string | undefined;
  readonly anonymous: boolean;
}

const tell = (text: string): void => {
  process.stderr.write(`mmaplockd: ${text}\n`);
};

/**
 * Gives the exit code: 0 where the file was written, whatever stands in it. SIGINT and SIGTERM end the recording early;
 * what was collected is still written.
 * @param startDaemon main's, for only main starts daemons
 * @throws MmaplockError `file_exists`, `file_unwritable`
 */
export const supportBundle = async (
  config: Config,
  { seconds, file, anonymous }: BundleOptions,
  clock: Clock,
  startDaemon: StartDaemon,
): Promise<number> => {
  const ending = endAtSignals();
  const host = anonymous ? pseudonym('h', os.hostname()) : os.hostname();
  const target = await openBundleFile(file ?? bundleName(host, clock.timeOfDay(clock.now())));
  try {
    tell(
      anonymous
        ? 'names of processes, units and containers are replaced by hashes in this bundle'
        : 'this bundle holds names of processes, units and containers; --anonymous replaces them by hashes',
    );
    const bundle = {
      v: 1,
      written_at: isoTime(clock, clock.now()),
      host,
      version,
      node: { version: process.version, arch: process.arch },
      kernel: { type: os.type(), release: os.release(), version: os.version(), machine: os.machine() },
      configuration: anonymous ? rowsWithoutNames(withoutSecrets(config)) : withoutSecrets(config),
      check: await orError(async () => checkJson(await examine(config, clock))),
      ...(await observed(config, { seconds, anonymous, clock, ending, startDaemon })),
    };
    await target.write(`${JSON.stringify(bundle, undefined, 2)}\n`);
  } catch (error) {
    await target.discard();
    throw error;
  }
  tell(`written to ${target.name}`);
  return ending.exitCode();
};

/** What a part gives, or why there is none. */
const orError = async <Part>(part: () => Promise<Part>): Promise<Part | { readonly error: object }> => {
  try {
    return await part();
  } catch (error) {
    const coded = error instanceof MmaplockError ? error : undefined;
    const [code, fix] = [coded?.code ?? 'internal_error', coded?.fix ?? null];
    return { error: { code, message: messageOf(error), fix } };
  }
};

interface ObserveOptions extends Omit<BundleOptions, 'file'> {
  readonly clock: Clock;
  readonly ending: Ending;
  readonly startDaemon: StartDaemon;
}

/** What a daemon says of itself and of this host while it records. */
const observed = async (config: Config, options: ObserveOptions) => {
  const stderr = keepStderr();
  const log = createLog({ level: 'debug', format: 'json', stream: stderr.stream });
  const parts = await orError(async () => {
    const daemon = await options.startDaemon(withoutTraces(config), log, options.clock);
    try {
      return await partsOf(daemon, config, options);
    } finally {
      await daemon.stop();
    }
  });
  return { daemon: parts, bpftrace_stderr: stderr.lines };
};

const partsOf = async ({ view }: OwnDaemon, config: Config, options: ObserveOptions) => {
  const { seconds, anonymous, clock } = options;
  const ending = options.ending.signal;
  const kept = keepTicks(view.stream);
  const recording = await orError(async () => {
    await observing(view, { timeoutSeconds: config.bpftrace.start_timeout_seconds, clock, ending });
    // It was asked to end before anything was observed.
    if (!view.readiness().ready) return null;
    return recordingJson(await recordFor(view, { seconds, clock, ending }), anonymous);
  });
  kept.stop();
  const { chosen } = view.plan();
  const { text } = await view.metrics();
  return {
    /** Readiness, plan with reasons, what the canary of bpftrace told (`tracer.dialect`), and cost. */
    status: statusOf(view),
    program: chosen.length === 0 ? null : joinProgram(chosen).text,
    ticks: anonymous ? rowsWithoutNames(kept.ticks) : kept.ticks,
    recording,
    metrics: anonymous ? metricsWithoutNames(text) : text,
  };
};

/** A recording as `record --json` prints it. */
export const recordingJson = async (recording: Recording, anonymous: boolean) => {
  const { view, incidents } = recording;
  const lists = await askLists(view);
  if (!anonymous) return recordJson(recording, lists);
  const nameless = {
    ...recording,
    // What is known of the cgroups is in the incidents, replaced.
    view: { ...view, cgroup: () => undefined },
    incidents: incidents.map((incident) => incidentWithoutNames(incident, view.cgroup)),
  };
  return recordJson(nameless, rowsWithoutNames(lists));
};
