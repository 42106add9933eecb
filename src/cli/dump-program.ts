/** `mmaplockd dump-program`: the program this host would run, or one fragment as it runs by hand here. */
import type { Config } from '../config/schema.js';
import { MmaplockError } from '../errors.js';
import { surveyHost } from '../host.js';
import { joinProgram, scriptOf } from '../probes/program.js';

export const dumpProgram = async (config: Config, fragment: string | undefined): Promise<number> => {
  const { plan, atStart } = await surveyHost(config);
  if (fragment === undefined) {
    if (plan.chosen.length === 0)
      throw new MmaplockError('nothing_observable', 'no fragment can run on this host');
    process.stdout.write(joinProgram(plan.chosen).text);
    return 0;
  }
  const choice = [...plan.chosen, ...atStart.chosen].find(
    (candidate) => candidate.fragment.name === fragment,
  );
  if (choice === undefined) {
    const refusal = plan.refused.find((candidate) => candidate.fragment === fragment);
    const known = [
      ...plan.chosen.map((candidate) => candidate.fragment.name),
      ...plan.refused.map((other) => other.fragment),
    ];
    throw new MmaplockError(
      'invalid_flag',
      refusal === undefined
        ? `there is no fragment "${fragment}"; there are: ${known.join(', ')}`
        : `${fragment} does not run on this host: ${refusal.reasons.map(({ detail }) => detail).join('; ')}`,
      { field: '--fragment' },
    );
  }
  process.stdout.write(scriptOf(choice, plan.chosen).text);
  return 0;
};
