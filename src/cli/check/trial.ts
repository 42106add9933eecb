/**
 * Tries the program that `run` would run: starts it as `run` does, leaves out what is refused as `run` does, and ends it
 * as soon as it observes. For `check`, so that it says no more than comes true.
 */
import { startSession } from '../../bpftrace/process/session.js';
import { Supervisor } from '../../bpftrace/process/supervise.js';
import type { Tracer } from '../../bpftrace/process/tracer.js';
import type { Clock } from '../../clock.js';
import type { Config } from '../../config/schema.js';
import { MmaplockError } from '../../errors.js';
import type { Findings } from '../../probes/findings.js';
import { joinProgram } from '../../probes/program.js';
import { cTypesFile, type HostSurvey, surveyHost } from '../../survey/survey.js';

export interface TrialOptions {
  readonly survey: HostSurvey;
  readonly tracer: Tracer;
  readonly config: Config;
  readonly clock: Clock;
  /** What was found out before. */
  readonly findings: Findings;
}

export interface Trial {
  /** With what bpftrace, or the kernel, refused left out. */
  readonly survey: HostSurvey;
  /** Why even that does not run, if so. */
  readonly error: MmaplockError | undefined;
}

/** Nothing is kept of what it counts: a check beside a daemon, in the same container, shall take little memory. */
const mapKeys = 64;

/** Starts in a row that gave up nothing: one can fail by chance, and what nobody named is given up at the second. */
const mostFailures = 3;

/** No process is left when it resolves. */
export const tryProgram = async ({
  survey,
  tracer,
  config,
  clock,
  findings,
}: TrialOptions): Promise<Trial> => {
  if (survey.plan.chosen.length === 0) return { survey, error: undefined };
  const rejected = new Map<string, string>();
  let current = survey;
  let replanDue = false;
  let failures = 0;
  let decide = (_error: MmaplockError | undefined): void => {};
  const decided = new Promise<MmaplockError | undefined>((resolve) => {
    decide = resolve;
  });
  const supervisor = new Supervisor({
    clock,
    find: async () => tracer.bpftrace,
    learnDialect: async () => tracer.dialect,
    startSession,
    typesFile: cTypesFile,
    program: async () => {
      if (replanDue) current = await surveyHost(config, rejected, findings);
      replanDue = false;
      return current.plan.chosen.length === 0 ? undefined : joinProgram(current.plan.chosen);
    },
    mapKeys: () => mapKeys,
    startTimeoutSeconds: config.bpftrace.start_timeout_seconds,
    stallRestartSeconds: config.bpftrace.stall_restart_seconds,
  });
  supervisor.connect({
    onRecord: () => {},
    onStderr: () => {},
    onRejected: (fragment, message) => {
      if (rejected.has(fragment)) return;
      rejected.set(fragment, message);
      replanDue = true;
      failures = 0;
    },
    onState: ({ phase, error }) => {
      if (phase === 'observing') decide(undefined);
      if (phase !== 'waiting' || replanDue) return;
      failures += 1;
      const fatal = error?.code === 'not_root' || error?.code === 'nothing_observable';
      if (fatal || failures === mostFailures)
        decide(error ?? new MmaplockError('program_rejected', 'it ended without a word'));
    },
  });
  supervisor.start();
  const error = await decided;
  await supervisor.stop();
  return { survey: current, error };
};
