/**
 * `mmaplockd dump-program`: the program this host would run, in watch or in inspect mode, or one fragment as it runs by
 * hand here.
 */
import { onStackLimit } from '../bpftrace/process/session.js';
import type { Config } from '../config/schema.js';
import { MmaplockError } from '../errors.js';
import { inspectProgram } from '../probes/inspection.js';
import { joinProgram, scriptOf } from '../probes/program.js';
import { type HostSurvey, surveyHost } from '../survey/survey.js';

export interface DumpOptions {
  /** Undefined: the whole program. */
  readonly fragment: string | undefined;
  /** Of inspect mode. */
  readonly inspect: boolean;
}

const howToRun =
  `// Where bpftrace is 0.22 or later, run it with BPFTRACE_ON_STACK_LIMIT=${onStackLimit}: larger keys do not fit on the ` +
  'stack of a BPF program.\n';

/** @throws MmaplockError `nothing_observable`, `inspect_unavailable`, or `invalid_flag` for a fragment that is not in it */
export const dumpProgram = async (config: Config, options: DumpOptions): Promise<number> => {
  const survey = await surveyHost(config);
  process.stdout.write(
    options.fragment === undefined
      ? `${howToRun}${wholeProgram(survey, options.inspect)}`
      : fragmentOf(options.fragment, survey, options.inspect),
  );
  return 0;
};

const wholeProgram = ({ plan, inspection }: HostSurvey, inspect: boolean): string => {
  if (inspect) return inspectProgram(inspection).text;
  if (plan.chosen.length === 0)
    throw new MmaplockError('nothing_observable', 'no fragment can run on this host');
  return joinProgram(plan.chosen).text;
};

const fragmentOf = (name: string, survey: HostSurvey, inspect: boolean): string => {
  const { plan, atStart, inspection } = survey;
  const chosen = inspect ? inspection.chosen : plan.chosen;
  const choices = inspect ? chosen : [...chosen, ...atStart.chosen];
  const choice = choices.find(({ fragment }) => fragment.name === name);
  if (choice === undefined) throw (inspect ? notInspected : notWatched)(name, survey);
  return scriptOf(choice, chosen).text;
};

const notInspected = (name: string, { inspection }: HostSurvey): MmaplockError =>
  new MmaplockError(
    'invalid_flag',
    `inspect mode runs no fragment "${name}" on this host; it runs: ${inspection.chosen.map(({ fragment }) => fragment.name).join(', ') || 'none'}`,
    { field: '--fragment' },
  );

const notWatched = (name: string, { plan, inspection }: HostSurvey): MmaplockError => {
  const refusal = plan.refused.find(({ fragment }) => fragment === name);
  const known = [
    ...plan.chosen.map(({ fragment }) => fragment.name),
    ...plan.refused.map(({ fragment }) => fragment),
  ];
  const message =
    refusal === undefined
      ? `there is no fragment "${name}"; there are: ${known.join(', ')}`
      : `${name} does not run on this host: ${refusal.reasons.map(({ detail }) => detail).join('; ')}`;
  const inspected = inspection.chosen.some(({ fragment }) => fragment.name === name);
  return new MmaplockError('invalid_flag', message, {
    field: '--fragment',
    ...(inspected && { fix: 'Pass --inspect as well.' }),
  });
};
