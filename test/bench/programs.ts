/** What `mmaplockd dump-program` prints, without a process for each: Node takes long to start in an emulated guest. */
import { parseArguments } from '../../src/cli/arguments.js';
import { loadConfig } from '../../src/config/load.js';
import { inspectProgram } from '../../src/probes/inspection.js';
import { joinProgram } from '../../src/probes/program.js';
import { surveyHost } from '../../src/survey/survey.js';

const programs = new Map<string, string>();

const makeProgram = async (args: readonly string[]): Promise<string> => {
  const parsed = parseArguments(['dump-program', ...args]);
  if (parsed.command !== 'dump-program')
    throw new Error(`these are no flags of dump-program: ${args.join(' ')}`);
  const { plan, inspection } = await surveyHost(loadConfig({ flags: parsed.flags }));
  return parsed.inspect ? inspectProgram(inspection).text : joinProgram(plan.chosen).text;
};

/**
 * The program of this host under some flags, made once.
 * @throws MmaplockError where a flag is wrong, or nothing can run here
 */
export const programText = async (args: readonly string[]): Promise<string> => {
  const key = args.join(' ');
  const text = programs.get(key) ?? (await makeProgram(args));
  programs.set(key, text);
  return text;
};
