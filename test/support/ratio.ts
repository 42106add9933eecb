/** A time held against that of a control, which does the least that any solution has to do, in the same process. */
import { readFileSync } from 'node:fs';

export interface Ratio {
  /** How many times as long as the control it took. */
  readonly ratio: number;
  /** Both in milliseconds. */
  readonly said: string;
}

/** Milliseconds. */
const timed = async (run: () => unknown): Promise<number> => {
  const started = performance.now();
  await run();
  return performance.now() - started;
};

/**
 * Both by turns, and the quickest turn of each: other work of the machine makes turns longer, but seldom all of them.
 * @param turns of each, after one that is not counted
 */
export const timesAsLong = async (run: () => unknown, control: () => unknown, turns = 7): Promise<Ratio> => {
  await run();
  await control();
  let took = Number.POSITIVE_INFINITY;
  let controlTook = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < turns; turn += 1) {
    took = Math.min(took, await timed(run));
    controlTook = Math.min(controlTook, await timed(control));
  }
  const ratio = took / controlTook;
  const said = `quickest ${took.toFixed(1)} ms, of the control ${controlTook.toFixed(1)} ms: ${ratio.toFixed(2)} times`;
  return { ratio, said };
};

/** The simplest loop over the bytes of files: to read and look at each byte once. */
export const scanFiles = (...paths: readonly string[]): number => {
  let sum = 0;
  for (const path of paths) {
    const bytes = readFileSync(path);
    for (let index = 0; index < bytes.length; index += 1) sum = (sum + bytes[index]!) | 0;
  }
  return sum;
};
