/** Hooks of a fragment, and the lines that others add there: one event, one probe, measured once. */
import type { Malformed } from './fragment.js';
import { beginsProbe } from './fragment-probes.js';

/** Lines that go to a hook of another fragment. */
export interface Addition {
  readonly fragment: string;
  readonly hook: string;
  /** Index of its `//@ at` line, and of the line after its last. */
  readonly start: number;
  readonly end: number;
}

/** The name of the hook that a line is, if it is one. */
export const hookOf = (line: string): string | undefined => /^\s*\/\/@ hook (\w+)\b/.exec(line)?.[1];

/** Whether an addition begins with this line. */
export const isAddition = (line: string): boolean => line.startsWith('//@ at ');

/** Reads the additions; they stand behind all probes. */
export const parseAdditions = (
  lines: readonly string[],
  needed: readonly string[],
  malformed: Malformed,
): Addition[] => {
  const starts = lines.flatMap((line, index) => (isAddition(line) ? [index] : []));
  const additions = starts.map((start, place) => {
    const [, fragment, hook] = /^\/\/@ at ([\w.-]+) (\w+)\s*$/.exec(lines[start] ?? '') ?? [];
    if (fragment === undefined || hook === undefined)
      throw malformed(start, 'an addition is //@ at FRAGMENT HOOK');
    if (!needed.includes(fragment))
      throw malformed(start, `it adds to ${fragment}: say so by //@ needs fragment ${fragment}`);
    return { fragment, hook, start, end: starts[place + 1] ?? lines.length };
  });
  const probe = lines.findIndex((line, index) => index > (starts[0] ?? lines.length) && beginsProbe(line));
  if (probe >= 0) throw malformed(probe, 'probes stand before the additions');
  return additions;
};
