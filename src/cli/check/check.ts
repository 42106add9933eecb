/**
 * `mmaplockd check`: what this host offers, what will run on it and why, what is lacking and how to mend it.
 * Exit codes: 0 full, 1 partial, 2 blind.
 */

import { snakeCase } from '../../api/snake-case.js';
import { runCanary } from '../../bpftrace/dialect.js';
import { findBpftrace } from '../../bpftrace/find.js';
import type { Tracer } from '../../bpftrace/process/tracer.js';
import type { Clock } from '../../clock.js';
import { type Config, noProbes } from '../../config/schema.js';
import { version } from '../../config/version.js';
import { type ErrorCode, errorCatalog, MmaplockError } from '../../errors.js';
import type { Findings } from '../../probes/findings.js';
import { limitsOf } from '../../probes/limits.js';
import type { Observation } from '../../probes/plan.js';
import { otherInstance } from '../../survey/single-instance.js';
import { type HostSurvey, settleSurvey, surveyHost } from '../../survey/survey.js';
import { type Observable, observables } from '../../vocabulary.js';
import { SelfCheck } from '../../watch/lock-path-check.js';
import { problemOf } from '../../watch/readiness.js';
import { inspectModeOf } from '../inspect-mode.js';
import type { CheckReport } from './report.js';
import { checkText } from './text.js';
import { type Trial, tryProgram } from './trial.js';

const exitCodes = { full: 0, partial: 1, blind: 2 } as const;

export const check = async (
  config: Config,
  { json, clock }: { json: boolean; clock: Clock },
): Promise<number> => {
  const report = await examine(config, clock);
  process.stdout.write(json ? `${JSON.stringify(checkJson(report), undefined, 2)}\n` : checkText(report));
  return exitCodes[report.verdict];
};

/** What `check --json` prints. */
export const checkJson = (report: CheckReport) => ({ ...report, kernel: snakeCase(report.kernel) });

/**
 * Looks at this host, with three short runs of bpftrace: the last is the program of `run`. What bpftrace refuses is in
 * the report.
 */
export const examine = async (config: Config, clock: Clock): Promise<CheckReport> => {
  const [surveyed, { bpftrace, tracer }] = await Promise.all([
    surveyHost(config),
    config.probes.allow.includes(noProbes) ? untriedBpftrace : tryBpftrace(config, clock),
  ]);
  const checked = await checkSelf(surveyed, tracer, config, clock);
  const { survey, error } = await tryTracer(checked, tracer, config, clock);
  const { kernel, plan, catalog } = survey;
  const problems = [...survey.problems, ...unprovenIn(plan)];
  const providable = new Set(catalog.fragments.flatMap(({ provides }) => provides.map(({ what }) => what)));
  return {
    version,
    verdict: bpftrace.works && error === undefined ? verdictOf({ ...survey, problems }, providable) : 'blind',
    kernel,
    bpftrace,
    refused: error === undefined ? null : problemOf(error),
    problems,
    lock_paths: survey.lockPaths,
    observables: observables.map((what) => ({ what, ...plan.observables[what] })),
    fragments: fragmentsOf(survey),
    inspect: inspectModeOf(survey.inspection, bpftrace),
    limits: limitsOf(plan),
    other_daemon: (await otherInstance()) ?? null,
  };
};

/** What the check at the start has ruled out, with what to do about it: as /-/ready has it. */
const unprovenIn = ({ refused, observables: found }: HostSurvey['plan']): HostSurvey['problems'] => {
  const reasons = [
    ...refused.flatMap((one) => one.reasons.filter(({ code }) => code === 'reads_unproven')),
    ...[found.operations.reason, found.waits.reason].filter(
      (reason) => reason?.code === 'registers_unproven' || reason?.code === 'own_pid_namespace',
    ),
  ];
  const told = new Map(reasons.map((reason) => [`${reason?.code} ${reason?.detail}`, reason]));
  return [...told.values()].flatMap((reason) => {
    if (reason === undefined || !(reason.code in errorCatalog)) return [];
    const code = reason.code as ErrorCode;
    return [{ code, message: reason.detail, fix: errorCatalog[code] }];
  });
};

const fragmentsOf = ({ plan, atStart }: HostSurvey): CheckReport['fragments'] => [
  ...plan.chosen.map(({ fragment }) => ({
    fragment: fragment.name,
    chosen: true,
    summary: fragment.summary,
    cost: fragment.cost,
    reasons: [],
  })),
  ...plan.refused.map(({ fragment, reasons }) => {
    const found = atStart.chosen.find((choice) => choice.fragment.name === fragment)?.fragment;
    return {
      fragment,
      chosen: false,
      ...(found !== undefined && { summary: found.summary, cost: found.cost }),
      reasons,
    };
  }),
];

/**
 * Full: all that this version can provide all the time, this kernel has and is switched on. Blind: not even waits.
 */
const verdictOf = (
  { plan, problems }: HostSurvey,
  providable: ReadonlySet<Observable>,
): CheckReport['verdict'] => {
  if (!plan.observables.waits.observed) return 'blind';
  const settled = ({ observed, reason }: Observation): boolean =>
    observed || ['nothing_to_observe', 'switched_off', 'inspect_only'].includes(reason?.code ?? '');
  const whole = problems.length === 0 && [...providable].every((what) => settled(plan.observables[what]));
  return whole ? 'full' : 'partial';
};

/** Where no probe may be attached, none is to be for a check either. */
const untriedBpftrace: { readonly bpftrace: CheckReport['bpftrace']; readonly tracer?: Tracer } = {
  bpftrace: {
    works: false,
    code: 'probes_switched_off',
    message: `not tried, for probes.allow is ${noProbes}`,
    fix: errorCatalog.probes_switched_off,
  },
};

const tryBpftrace = async (
  config: Config,
  clock: Clock,
): Promise<{ readonly bpftrace: CheckReport['bpftrace']; readonly tracer?: Tracer }> => {
  try {
    const found = await findBpftrace({ path: config.bpftrace.path || 'bpftrace', env: process.env });
    const before = clock.monotonic();
    const dialect = await runCanary([found.path], { version: found.version });
    const seconds = Math.round(clock.monotonic() - before) / 1000;
    return { bpftrace: { ...found, works: true, seconds }, tracer: { bpftrace: found, dialect } };
  } catch (error) {
    if (!(error instanceof MmaplockError)) throw error;
    return { bpftrace: { works: false, code: error.code, message: error.message, fix: error.fix } };
  }
};

/** Looks at itself as the daemon does at its start; what could not be tried is among the problems. */
const checkSelf = async (
  surveyed: HostSurvey,
  tracer: Tracer | undefined,
  config: Config,
  clock: Clock,
): Promise<{ readonly survey: HostSurvey; readonly findings: Findings }> => {
  const selfCheck = new SelfCheck({ clock, timeoutSeconds: config.bpftrace.start_timeout_seconds });
  let survey = surveyed;
  for (let more = tracer !== undefined; more && tracer !== undefined; ) {
    const before = selfCheck.findings;
    more = await selfCheck.step(survey, tracer);
    if (selfCheck.findings !== before) survey = await settleSurvey(survey, selfCheck.findings, config);
  }
  return { survey, findings: selfCheck.findings };
};

/** Tries the program of `run`, where there is a bpftrace for it. */
const tryTracer = async (
  { survey, findings }: { readonly survey: HostSurvey; readonly findings: Findings },
  tracer: Tracer | undefined,
  config: Config,
  clock: Clock,
): Promise<Trial> =>
  tracer === undefined
    ? { survey, error: undefined }
    : tryProgram({ survey, findings, tracer, config, clock });
