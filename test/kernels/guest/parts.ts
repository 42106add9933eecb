/** Tells the host which part of the tests is under way, so that it can say where the seconds of a guest go. */
import { type Witness, witness } from '../../live/support/workload.js';
import { part } from './report.js';

/** From the outermost to the one under way. */
const under: string[] = [];

const say = (): void => part(under.at(-1) ?? 'between');

/** Seconds within are of this part, but for those of parts within it. Not for what runs side by side. */
export const timed = async <Result>(name: string, work: () => Promise<Result>): Promise<Result> => {
  under.push(name);
  say();
  try {
    return await work();
  } finally {
    under.pop();
    say();
  }
};

/** As {@link witness}, its start and its end parts of their own. */
export const timedWitness = async (program: string): Promise<Witness> => {
  const started = await timed('start of the witness', () => witness(program));
  return { ...started, stop: () => timed('end of the witness', started.stop) };
};
